package main

import (
	"encoding/json"
	"testing"
)

func TestUnknownFieldsAreRefusedAndOpenOnesStayOpen(t *testing.T) {
	given := `{"description": "prose", "type": "object", "properties": {
		"description": {"type": "string", "description": "a field of that name"},
		"port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]},
		"labels": {"type": "object", "additionalProperties": {"type": "string"}},
		"any": {"type": "object", "properties": {"a": {"type": "string"}}, "x-kubernetes-preserve-unknown-fields": true},
		"list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string"}}}}}}`
	expected := `{"additionalProperties":false,"properties":{` +
		`"any":{"properties":{"a":{"type":"string"}},"type":"object","x-kubernetes-preserve-unknown-fields":true},` +
		`"description":{"type":"string"},` +
		`"labels":{"additionalProperties":{"type":"string"},"type":"object"},` +
		`"list":{"items":{"additionalProperties":false,"properties":{"a":{"type":"string"}},"type":"object"},"type":["array","null"]},` +
		`"port":{"type":["integer","string"]}},"type":"object"}`
	var schema object
	if err := json.Unmarshal([]byte(given), &schema); err != nil {
		t.Fatal(err)
	}
	made, err := json.Marshal(strict(schema))
	if err != nil {
		t.Fatal(err)
	}
	if string(made) != expected {
		t.Errorf("%s\nexpected %s", made, expected)
	}
}

func TestADefinitionBringsWhatItRefersTo(t *testing.T) {
	document := `{"definitions": {
		"pod": {"x-kubernetes-group-version-kind": [{"group": "", "kind": "Pod", "version": "v1"}],
			"properties": {"spec": {"$ref": "#/definitions/spec"}}},
		"spec": {"type": "object", "properties": {"again": {"$ref": "#/definitions/spec"}}},
		"other": {"x-kubernetes-group-version-kind": [{"group": "unused", "kind": "Other", "version": "v1"}]}}}`
	schemas, err := fromOpenAPI([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	inside := at(schemas["pod-v1-v1"], "definitions")
	if len(schemas) != 1 || len(inside) != 2 {
		t.Errorf("%v", schemas)
	}
	if _, err := fromOpenAPI([]byte(`{"definitions": {"pod": {"x-kubernetes-group-version-kind":
		[{"group": "", "kind": "Pod", "version": "v1"}], "properties": {"a": {"$ref": "#/definitions/lost"}}}}}`)); err == nil {
		t.Error("a lost definition passed")
	}
}

func at(node object, key string) object {
	found, _ := node[key].(object)
	return found
}
