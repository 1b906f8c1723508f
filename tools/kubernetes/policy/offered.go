package main

import (
	"fmt"
	"strings"
)

// Settings that the chart does not offer, each with the reason why: SERVICE.SETTING to a sentence. None today.
var withheld = map[string]string{}

// unoffered says which documented settings a user of the chart can neither find rendered nor set, and which reasons in
// `without` are none any more. Takes everything that is rendered for any of the ci values.
func unoffered(manifests []object, known repository, without map[string]string) []string {
	faults := []string{}
	offered := map[string]bool{}
	for service, names := range known.offered {
		for name := range names {
			offered[service+"."+name] = true
		}
	}
	for _, manifest := range manifests {
		for _, service := range services {
			for _, found := range assigned.FindAllStringSubmatch(text(manifest, "data", service+".toml"), -1) {
				offered[service+"."+found[1]] = true
			}
		}
		for _, container := range list(podOf(manifest), "containers") {
			for _, variable := range list(container, "env") {
				name := inEnvironment(text(container, "name"), text(variable, "name"))
				// A secret is documented as the file that holds it.
				offered[name], offered[name+"_file"] = true, true
			}
		}
	}
	documented := map[string]bool{}
	for service, names := range known.settings {
		for name := range names {
			key := service + "." + name
			documented[key] = true
			if !offered[key] && without[key] == "" {
				faults = append(faults, fmt.Sprintf("%s: the chart neither renders it, nor takes it under settings, nor says why not", key))
			}
			if offered[key] && without[key] != "" {
				faults = append(faults, fmt.Sprintf("%s: the chart offers it, and says why it does not", key))
			}
		}
	}
	for key := range without {
		if !documented[key] {
			faults = append(faults, fmt.Sprintf("%s: the chart says why it does not offer what does not exist", key))
		}
	}
	return faults
}

// inEnvironment names the setting that a service's environment variable means.
func inEnvironment(service, variable string) string {
	prefix := strings.ToUpper(strings.ReplaceAll(service, "-", "_")) + "_"
	return service + "." + strings.ToLower(strings.TrimPrefix(variable, prefix))
}
