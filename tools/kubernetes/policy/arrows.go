package main

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
)

const component = "app.kubernetes.io/component"

// Who may call whom inside the cluster, as docs/ARCHITECTURE.md draws it; beyond it, stores' operators, backups and
// the test. `edge` and `outside` are peers that are no pods of ours.
var arrows = map[string][]string{
	"edge":            {"content-api", "mcp-gateway", "embedder", "sales-warehouse", "postgres", "redis"},
	"content-api":     {"embedder", "mongodb", "postgres", "redis", "outside"},
	"mcp-gateway":     {"content-api", "sales-warehouse", "embedder", "redis", "outside"},
	"embedder":        {"postgres", "qdrant", "outside"},
	"sales-warehouse": {"postgres", "content-api", "outside"},
	"etl":             {"postgres", "content-api", "outside"},
	"migrate":         {"postgres", "outside"},
	"test":            {"content-api", "sales-warehouse", "outside"},
	"backup-postgres": {"postgres", "outside"},
	"backup-mongodb":  {"mongodb", "outside"},
	"backup-qdrant":   {"qdrant", "outside"},
	"postgres":        {"postgres"},
	"redis":           {"redis"},
	// Resolving names.
	"": {"outside"},
}

// checkArrows reads the NetworkPolicies from both ends: no arrow that is not drawn, and none that one end refuses.
func checkArrows(manifests []object, note func(string, ...any)) {
	out, in := map[[2]string]bool{}, map[[2]string]bool{}
	denied, ours := false, map[string]bool{}
	for _, manifest := range manifests {
		if text(manifest, "kind") != "NetworkPolicy" {
			continue
		}
		spec := at(manifest, "spec")
		subject := ofPods(at(spec, "podSelector"))
		ours[subject] = true
		types, _ := spec["policyTypes"].([]any)
		rules := len(list(spec, "ingress")) + len(list(spec, "egress"))
		denied = denied || subject == "" && len(types) == 2 && rules == 0
		if strings.Contains(text(manifest, "metadata", "annotations", "helm.sh/hook"), "pre-install") && !resolves(spec) {
			note("%s: is there before the policy that lets everybody resolve names, and does not let its pods", called(manifest))
		}
		for _, rule := range list(spec, "egress") {
			for _, peer := range peers(manifest, rule, "to", "outside", note) {
				out[[2]string{subject, peer}] = true
			}
		}
		for _, rule := range list(spec, "ingress") {
			for _, peer := range peers(manifest, rule, "from", "edge", note) {
				in[[2]string{peer, subject}] = true
			}
		}
	}
	if !denied {
		note("no NetworkPolicy refuses what the others do not allow")
	}
	for _, arrow := range sorted(out, in) {
		from, to := arrow[0], arrow[1]
		if !drawn(from, to) {
			note("NetworkPolicy: %q may call %q, which the design does not draw", from, to)
		}
		// A store of somebody else's has no policy of ours.
		if out[arrow] && to != "outside" && ours[to] && !in[arrow] {
			note("NetworkPolicy: %q is sent to %q, which refuses it", from, to)
		}
		if in[arrow] && from != "edge" && from != to && !out[arrow] {
			note("NetworkPolicy: %q lets %q in, which may not leave", to, from)
		}
	}
}

// The pods that an operator makes for a resource of that name: our default policy does not know their labels.
var madeByOperators = map[string]func(name string) object{
	"Cluster":          func(name string) object { return object{"cnpg.io/cluster": name} },
	"RedisReplication": func(name string) object { return object{"redis_setup_type": "replication", "app": name} },
	"RedisSentinel":    func(name string) object { return object{"redis_setup_type": "sentinel", "app": name + "-sentinel"} },
}

// checkOperators finds stores that are rendered for an operator and that nobody is kept away from.
func checkOperators(manifests []object, note func(string, ...any)) {
	for _, store := range manifests {
		labels := madeByOperators[text(store, "kind")]
		if labels == nil {
			continue
		}
		guarded := false
		for _, manifest := range manifests {
			selector := at(manifest, "spec", "podSelector", "matchLabels")
			types, _ := value(manifest, "spec", "policyTypes").([]any)
			guarded = guarded || text(manifest, "kind") == "NetworkPolicy" && slices.Contains(types, any("Ingress")) &&
				reflect.DeepEqual(selector, labels(text(store, "metadata", "name")))
		}
		if !guarded {
			note("%s: no NetworkPolicy says who may call its pods", called(store))
		}
	}
}

// resolves says whether a policy lets its pods ask name servers.
func resolves(spec object) bool {
	for _, rule := range list(spec, "egress") {
		for _, port := range list(rule, "ports") {
			if port["port"] == 53.0 {
				return true
			}
		}
	}
	return false
}

func drawn(from, to string) bool {
	for _, allowed := range arrows[from] {
		if allowed == to {
			return true
		}
	}
	return false
}

// peers names who a rule speaks of. A rule without ports or without peers means all of them.
func peers(manifest, rule object, key, elsewhere string, note func(string, ...any)) []string {
	var found []string
	if len(list(rule, "ports")) == 0 {
		note("%s: a rule opens every port", called(manifest))
	}
	for _, peer := range list(rule, key) {
		selector := at(peer, "podSelector")
		if peer["ipBlock"] == nil && peer["namespaceSelector"] == nil && ofPods(selector) != "" {
			found = append(found, ofPods(selector))
		} else {
			found = append(found, elsewhere)
		}
	}
	if len(found) == 0 {
		note("%s: a rule opens the way to everybody", called(manifest))
	}
	return found
}

// ofPods names the component that a selector means; operators label their pods in their own ways.
func ofPods(selector object) string {
	labels := at(selector, "matchLabels")
	if labels["cnpg.io/cluster"] != nil {
		return "postgres"
	}
	if labels["redis_setup_type"] != nil {
		return "redis"
	}
	return text(labels, component)
}

func sorted(sets ...map[[2]string]bool) [][2]string {
	all := map[[2]string]bool{}
	for _, set := range sets {
		for arrow := range set {
			all[arrow] = true
		}
	}
	var found [][2]string
	for arrow := range all {
		found = append(found, arrow)
	}
	sort.Slice(found, func(a, b int) bool { return fmt.Sprint(found[a]) < fmt.Sprint(found[b]) })
	return found
}
