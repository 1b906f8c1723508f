package main

import (
	"regexp"
	"strings"
)

// service_kit::listen drains for this long.
const drainSeconds = 10

// How one of our services is called without TLS.
var inClear = regexp.MustCompile(`http://[a-z0-9-]+-(embedder|content-api|sales-warehouse|mcp-gateway):`)

var pinned = regexp.MustCompile(`(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$`)

func checkPod(manifest, pod object, manifests []object, note func(string, ...any)) {
	name := called(manifest)
	if value(pod, "automountServiceAccountToken") != false {
		note("%s: mounts a token of the API", name)
	}
	account := text(pod, "serviceAccountName")
	if !exists(manifests, "ServiceAccount", account) {
		note("%s: has no ServiceAccount of its own, %q", name, account)
	}
	security := at(pod, "securityContext")
	if user, is := security["runAsUser"].(float64); security["runAsNonRoot"] != true || !is || user == 0 {
		note("%s: may run as root", name)
	}
	if text(security, "seccompProfile", "type") != "RuntimeDefault" {
		note("%s: has no seccomp profile", name)
	}
	for _, forbidden := range []string{"hostNetwork", "hostPID", "hostIPC"} {
		if pod[forbidden] == true {
			note("%s: has %s", name, forbidden)
		}
	}
	for _, volume := range list(pod, "volumes") {
		if volume["hostPath"] != nil {
			note("%s: mounts a path of the node", name)
		}
	}
	for _, container := range append(list(pod, "containers"), list(pod, "initContainers")...) {
		checkContainer(name, container, note)
	}
	switch text(manifest, "kind") {
	case "Deployment":
		checkService(manifest, pod, manifests, note)
	case "StatefulSet":
		checkProbes(name, pod, note)
	case "CronJob":
		if text(manifest, "spec", "concurrencyPolicy") != "Forbid" {
			note("%s: may run twice at a time", name)
		}
	}
}

func checkContainer(name string, container object, note func(string, ...any)) {
	name += " " + text(container, "name")
	security := at(container, "securityContext")
	if security["allowPrivilegeEscalation"] != false {
		note("%s: may escalate its privileges", name)
	}
	if security["readOnlyRootFilesystem"] != true {
		note("%s: may write its root", name)
	}
	if dropped, _ := value(security, "capabilities", "drop").([]any); len(dropped) != 1 || dropped[0] != "ALL" {
		note("%s: keeps capabilities", name)
	}
	for _, bound := range []string{"requests", "limits"} {
		for _, resource := range []string{"cpu", "memory"} {
			if value(container, "resources", bound, resource) == nil {
				note("%s: %s have no %s", name, bound, resource)
			}
		}
	}
	image := text(container, "image")
	if !pinned.MatchString(image) || regexp.MustCompile(`:latest$`).MatchString(image) {
		note("%s: the image %s has no version", name, image)
	}
}

func checkProbes(name string, pod object, note func(string, ...any)) {
	for _, container := range list(pod, "containers") {
		for _, probe := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
			if container[probe] == nil {
				note("%s: has no %s", name, probe)
			}
		}
	}
}

// checkService holds what a Deployment needs to be left and replaced without a failed request.
func checkService(manifest, pod object, manifests []object, note func(string, ...any)) {
	name := called(manifest)
	checkProbes(name, pod, note)
	checkTLS(name, pod, manifests, note)
	grace, _ := value(pod, "terminationGracePeriodSeconds").(float64)
	for _, container := range list(pod, "containers") {
		pause, _ := value(container, "lifecycle", "preStop", "sleep", "seconds").(float64)
		if pause == 0 {
			note("%s: stops while endpoints still name it", name)
		}
		if grace <= pause+drainSeconds {
			note("%s: is killed after %v s, before it has paused for %v s and drained for %d s", name, grace, pause, drainSeconds)
		}
	}
	if list(pod, "topologySpreadConstraints") == nil {
		note("%s: is not spread", name)
	}
	if text(manifest, "spec", "template", "metadata", "annotations", "checksum/config") == "" {
		note("%s: does not restart when its settings change", name)
	}
	if !exists(manifests, "PodDisruptionBudget", text(manifest, "metadata", "name")) {
		note("%s: has no PodDisruptionBudget", name)
	}
}

// checkTLS holds a service that speaks TLS, as all of them do then, against how it is probed and calls the others.
func checkTLS(name string, pod object, manifests []object, note func(string, ...any)) {
	settings, scheme := textsOf(pod, manifests), "HTTP"
	if strings.Contains(settings, "tls_certificate = ") {
		scheme = "HTTPS"
		if found := inClear.FindString(settings); found != "" {
			note("%s: calls %s without TLS", name, found)
		}
	}
	for _, container := range list(pod, "containers") {
		for _, probe := range []string{"startupProbe", "readinessProbe", "livenessProbe"} {
			if probed := text(container, probe, "httpGet", "scheme"); container[probe] != nil && probed != scheme {
				note("%s: speaks %s, and its %s asks by %q", name, scheme, probe, probed)
			}
		}
	}
}

func exists(manifests []object, kind, name string) bool {
	for _, manifest := range manifests {
		if text(manifest, "kind") == kind && text(manifest, "metadata", "name") == name {
			return true
		}
	}
	return false
}
