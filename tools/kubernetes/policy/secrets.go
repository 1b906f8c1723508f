package main

import (
	"encoding/json"
	"regexp"
	"strings"
)

// A file of a Secret: where that is mounted, and which of its keys.
var secretFile = regexp.MustCompile(`(/run/secrets/[a-z]+)/([A-Za-z0-9_]+)`)

// keysRead returns what a pod reads of which Secret: the files that it or its ConfigMaps name, and its environment.
// What it names and does not mount is under "", as a path.
func keysRead(pod object, manifests []object) map[string]map[string]bool {
	read := map[string]map[string]bool{}
	note := func(secret, key string) {
		if read[secret] == nil {
			read[secret] = map[string]bool{}
		}
		read[secret][key] = true
	}
	for _, found := range secretFile.FindAllStringSubmatch(textsOf(pod, manifests), -1) {
		mounted := mountedSecret(pod, found[1])
		if key := keyAt(mounted, found[2]); key == "" {
			note("", found[0])
		} else {
			note(text(mounted, "secretName"), key)
		}
	}
	for _, container := range append(list(pod, "containers"), list(pod, "initContainers")...) {
		for _, variable := range list(container, "env") {
			if from := at(variable, "valueFrom", "secretKeyRef"); from != nil {
				note(text(from, "name"), text(from, "key"))
			}
		}
	}
	return read
}

// mountedSecret returns the Secret's volume that a pod has at a path, or nil.
func mountedSecret(pod object, path string) object {
	for _, container := range list(pod, "containers") {
		for _, mount := range list(container, "volumeMounts") {
			for _, volume := range list(pod, "volumes") {
				if mount["mountPath"] == path && volume["name"] == mount["name"] {
					return at(volume, "secret")
				}
			}
		}
	}
	return nil
}

// textsOf returns a pod as text, and the ConfigMaps that it mounts.
func textsOf(pod object, manifests []object) string {
	whole, _ := json.Marshal(pod)
	texts := []string{string(whole)}
	for _, volume := range list(pod, "volumes") {
		for _, manifest := range manifests {
			if text(manifest, "kind") == "ConfigMap" && text(manifest, "metadata", "name") == text(volume, "configMap", "name") {
				data, _ := json.Marshal(at(manifest, "data"))
				texts = append(texts, string(data))
			}
		}
	}
	return strings.Join(texts, "\n")
}

// keyAt returns which key of a mounted Secret is the file of that name: the same, unless the mount picks some; "" if none.
func keyAt(mounted object, file string) string {
	if mounted != nil && mounted["items"] == nil {
		return file
	}
	for _, item := range list(mounted, "items") {
		if text(item, "path") == file {
			return text(item, "key")
		}
	}
	return ""
}

// checkSecrets holds what a pod reads against what it mounts.
func checkSecrets(manifest, pod object, manifests []object, note func(string, ...any)) {
	for path := range keysRead(pod, manifests)[""] {
		note("%s: reads %s, which is not mounted", called(manifest), path)
	}
}
