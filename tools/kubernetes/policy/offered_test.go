package main

import (
	"strings"
	"testing"
)

var snapshots = []string{"minimal", "production", "external"}

func everythingRendered(t *testing.T) []object {
	t.Helper()
	var manifests []object
	for _, name := range snapshots {
		parsed, err := parse([]byte(rendered(t, name)))
		if err != nil {
			t.Fatal(err)
		}
		manifests = append(manifests, parsed...)
	}
	return manifests
}

func TestEveryDocumentedSettingIsOffered(t *testing.T) {
	known, err := readRepository(root)
	if err != nil {
		t.Fatal(err)
	}
	if faults := unoffered(everythingRendered(t), known, withheld); len(faults) > 0 {
		t.Error(strings.Join(faults, "\n"))
	}
}

func TestASettingThatIsNotOfferedIsFound(t *testing.T) {
	known := func(settings ...string) repository {
		names := map[string]bool{}
		for _, name := range settings {
			names[name] = false
		}
		return repository{
			settings: map[string]map[string]bool{"embedder": names},
			offered:  map[string]map[string]bool{"embedder": {"model": true}},
		}
	}
	manifests, err := parse([]byte(`
kind: ConfigMap
data: { embedder.toml: "listen = \"0.0.0.0:1\"\n" }
---
kind: Deployment
spec: { template: { spec: { containers: [{ name: embedder, env: [{ name: EMBEDDER_QDRANT_API_KEY }] }] } } }
`))
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		settings []string
		without  map[string]string
		says     string
	}{
		{[]string{"listen", "model", "qdrant_api_key_file"}, nil, ""},
		{[]string{"listen", "new_bound"}, nil, "embedder.new_bound: the chart neither renders it"},
		{[]string{"listen", "new_bound"}, map[string]string{"embedder.new_bound": "of no use here"}, ""},
		{[]string{"listen"}, map[string]string{"embedder.listen": "of no use here"}, "embedder.listen: the chart offers it"},
		{[]string{"listen"}, map[string]string{"embedder.gone": "of no use here"}, "embedder.gone: the chart says why"},
	}
	for _, one := range cases {
		faults := strings.Join(unoffered(manifests, known(one.settings...), one.without), "\n")
		if faults == "" != (one.says == "") || !strings.Contains(faults, one.says) {
			t.Errorf("%v: expected %q, got %q", one.settings, one.says, faults)
		}
	}
}
