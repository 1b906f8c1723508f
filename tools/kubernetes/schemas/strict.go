package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

type object = map[string]any

// fromOpenAPI returns one schema for each kind of Kubernetes' own, with what it refers to inside.
func fromOpenAPI(text []byte) (map[string]object, error) {
	var document struct{ Definitions map[string]object }
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	schemas := map[string]object{}
	for definition, schema := range document.Definitions {
		kinds, _ := schema["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue
		}
		kind := kinds[0].(object)
		group := kind["group"].(string)
		if !groups[group] {
			continue
		}
		inside := object{}
		if err := collect(document.Definitions, definition, inside); err != nil {
			return nil, err
		}
		schemas[name(kind["kind"].(string), group, kind["version"].(string))] = object{
			"$ref":        reference + definition,
			"definitions": inside,
		}
	}
	return schemas, nil
}

const reference = "#/definitions/"

// collect puts a definition and all that it refers to into `inside`, made strict.
func collect(all map[string]object, name string, inside object) error {
	if _, known := inside[name]; known {
		return nil
	}
	schema, found := all[name]
	if !found {
		return fmt.Errorf("%s is not defined", name)
	}
	inside[name] = strict(schema)
	for _, used := range references(schema) {
		if err := collect(all, used, inside); err != nil {
			return err
		}
	}
	return nil
}

func references(node any) []string {
	var found []string
	switch node := node.(type) {
	case object:
		if to, is := node["$ref"].(string); is {
			found = append(found, strings.TrimPrefix(to, reference))
		}
		for _, below := range node {
			found = append(found, references(below)...)
		}
	case []any:
		for _, below := range node {
			found = append(found, references(below)...)
		}
	}
	return found
}

// strict returns the schema without its prose, refusing what it does not name.
func strict(node any) any {
	switch node := node.(type) {
	case object:
		made := object{}
		for key, value := range node {
			// A property may be called like a keyword of JSON Schema.
			if key == "properties" {
				made[key] = strictProperties(value)
			} else if _, isText := value.(string); key != "description" || !isText {
				made[key] = strict(value)
			}
		}
		if node["x-kubernetes-int-or-string"] == true || node["format"] == "int-or-string" {
			return object{"type": []any{"integer", "string"}}
		}
		_, open := node["additionalProperties"]
		open = open || node["x-kubernetes-preserve-unknown-fields"] == true
		if _, named := node["properties"]; named && !open {
			made["additionalProperties"] = false
		}
		// The API server reads null as absent.
		if node["type"] == "array" {
			made["type"] = []any{"array", "null"}
		}
		return made
	case []any:
		made := make([]any, len(node))
		for index, below := range node {
			made[index] = strict(below)
		}
		return made
	}
	return node
}

func strictProperties(node any) any {
	properties, is := node.(object)
	if !is {
		return strict(node)
	}
	made := object{}
	for name, schema := range properties {
		made[name] = strict(schema)
	}
	return made
}
