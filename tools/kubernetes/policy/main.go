// Command policy holds rendered manifests of the chart against the rules that no schema can say: pods without rights,
// limits, probes, time to leave, only the design's arrows, only settings, metrics and secrets that exist.
//
//	policy REPOSITORY MANIFEST
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

type object = map[string]any

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: policy REPOSITORY MANIFEST")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal("policy: ", err)
	}
	known, err := readRepository(os.Args[1])
	if err != nil {
		log.Fatal("policy: ", err)
	}
	manifests, err := parse(text)
	if err != nil {
		log.Fatal("policy: ", err)
	}
	faults := check(manifests, known)
	for _, fault := range faults {
		log.Print(fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
	fmt.Printf("%d manifests keep the rules\n", len(manifests))
}

func parse(text []byte) ([]object, error) {
	var manifests []object
	for _, part := range strings.Split("\n"+string(text), "\n---") {
		var manifest object
		if err := yaml.Unmarshal([]byte(part), &manifest); err != nil {
			return nil, err
		}
		if manifest != nil {
			manifests = append(manifests, manifest)
		}
	}
	return manifests, nil
}

// check returns one sentence for each rule that is broken.
func check(manifests []object, known repository) []string {
	faults := []string{}
	note := func(format string, values ...any) { faults = append(faults, fmt.Sprintf(format, values...)) }
	for _, manifest := range manifests {
		if pod := podOf(manifest); pod != nil {
			checkPod(manifest, pod, manifests, note)
			checkSecrets(manifest, pod, manifests, note)
		}
		if text(manifest, "kind") == "ConfigMap" {
			checkSettings(manifest, known, note)
		}
		switch text(manifest, "kind") {
		case "PrometheusRule", "ConfigMap", "HorizontalPodAutoscaler":
			checkMetrics(manifest, known, note)
		}
		if kind := text(manifest, "kind"); kind == "Secret" {
			note("%s: the chart makes no secrets", called(manifest))
		}
	}
	checkArrows(manifests, note)
	checkOperators(manifests, note)
	return faults
}

// podOf returns the spec of the pods that a manifest makes, or nil.
func podOf(manifest object) object {
	switch text(manifest, "kind") {
	case "Pod":
		return at(manifest, "spec")
	case "Deployment", "StatefulSet", "Job":
		return at(manifest, "spec", "template", "spec")
	case "CronJob":
		return at(manifest, "spec", "jobTemplate", "spec", "template", "spec")
	}
	return nil
}

func called(manifest object) string {
	return text(manifest, "kind") + "/" + text(manifest, "metadata", "name")
}

// value returns what stands at a path, or nil.
func value(node any, path ...string) any {
	for _, key := range path {
		below, is := node.(object)
		if !is {
			return nil
		}
		node = below[key]
	}
	return node
}

func at(node any, path ...string) object {
	found, _ := value(node, path...).(object)
	return found
}

func text(node any, path ...string) string {
	found, _ := value(node, path...).(string)
	return found
}

func list(node any, path ...string) []object {
	items, _ := value(node, path...).([]any)
	var found []object
	for _, item := range items {
		if item, is := item.(object); is {
			found = append(found, item)
		}
	}
	return found
}
