// Command schemas writes the JSON schemas that kubeconform holds rendered manifests against, one file for each kind:
// strict ones, in which a field that the API does not know is an error.
//
// They are derived, and nothing here is typed by hand: Kubernetes' own from its OpenAPI document, those of custom
// resources from their definitions, all of them files of Go modules with a pinned sum.
//
//	schemas DIRECTORY [FILE…]
//
// Further files are custom resource definitions, for projects that are no Go module.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// A module, and the files of it that are read.
type source struct {
	module, version, sum string
	files                []string
}

const kubernetes = "api/openapi-spec/swagger.json"

var sources = []source{
	{"k8s.io/kubernetes", "v1.37.2", "h1:A2VDEiObzkYqFTKhSsn0ZEb0RlLEXpHWj93gi2HqEwE=", []string{kubernetes}},
	{"github.com/prometheus-operator/prometheus-operator", "v0.85.0",
		"h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=", []string{
			"example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
			"example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
		}},
	{"sigs.k8s.io/gateway-api", "v1.4.1", "h1:NPxFutNkKNa8UfLd2CMlEuhIPMQgDQ6DXNKG9sHbJU8=", []string{
		"config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
		"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
	}},
}

// The groups that the chart uses; the others would be a thousand files more.
var groups = map[string]bool{"": true, "apps": true, "autoscaling": true, "batch": true, "networking.k8s.io": true, "policy": true}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: schemas DIRECTORY [FILE…]")
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal("schemas: ", err)
	}
}

func run(directory string, more []string) error {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return err
	}
	for _, from := range sources {
		folder, err := from.fetch()
		if err != nil {
			return err
		}
		for _, file := range from.files {
			if err := convert(filepath.Join(folder, file), directory); err != nil {
				return err
			}
		}
	}
	for _, file := range more {
		if err := convert(file, directory); err != nil {
			return err
		}
	}
	return nil
}

// fetch returns the module's folder, once its sum is the pinned one.
func (from source) fetch() (string, error) {
	name := from.module + "@" + from.version
	command := exec.Command("go", "mod", "download", "-json", name)
	// Outside any module: what is fetched here is read, and never built.
	command.Dir = os.TempDir()
	output, err := command.Output()
	var found struct{ Dir, Sum, Error string }
	if json.Unmarshal(output, &found) != nil || err != nil || found.Dir == "" {
		return "", fmt.Errorf("%s cannot be fetched: %v %s", name, err, found.Error)
	}
	if found.Sum != from.sum {
		return "", fmt.Errorf("%s has the sum %s: expected %s", name, found.Sum, from.sum)
	}
	return found.Dir, nil
}

func convert(file, directory string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	schemas, err := fromFile(file, text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for name, schema := range schemas {
		text, err := json.Marshal(schema)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(directory, name+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fromFile returns schemas by the names that helm/test tells kubeconform: <kind>-<group>-<version>, in small letters.
func fromFile(file string, text []byte) (map[string]object, error) {
	if strings.HasSuffix(file, kubernetes) {
		return fromOpenAPI(text)
	}
	schemas := map[string]object{}
	for _, part := range strings.Split("\n"+string(text), "\n---") {
		var definition struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct{ OpenAPIV3Schema object }
				}
			}
		}
		if err := yaml.Unmarshal([]byte(part), &definition); err != nil {
			return nil, err
		}
		spec := definition.Spec
		for _, version := range spec.Versions {
			schema := strict(version.Schema.OpenAPIV3Schema).(object)
			schema["properties"].(object)["metadata"] = object{"type": "object"}
			schemas[name(spec.Names.Kind, spec.Group, version.Name)] = schema
		}
	}
	if len(schemas) == 0 {
		return nil, fmt.Errorf("no custom resource is defined here")
	}
	return schemas, nil
}

func name(kind, group, version string) string {
	// kubeconform takes the core group, which has no name, to be called like its version.
	if group == "" {
		group = version
	}
	return strings.ToLower(fmt.Sprintf("%s-%s-%s", kind, group, version))
}
