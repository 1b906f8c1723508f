package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../../.."

func rendered(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "helm", "snapshots", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func faultsOf(t *testing.T, manifest string) []string {
	t.Helper()
	known, err := readRepository(root)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := parse([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return check(manifests, known)
}

func TestWhatIsRenderedKeepsTheRules(t *testing.T) {
	for _, name := range []string{"minimal", "production", "external"} {
		if faults := faultsOf(t, rendered(t, name)); len(faults) > 0 {
			t.Errorf("%s: %s", name, strings.Join(faults, "\n"))
		}
	}
}

// Each rule is broken once, in what is otherwise sound.
func TestEachRuleFindsItsFault(t *testing.T) {
	cases := []struct{ manifest, from, to, says string }{
		{"minimal", "automountServiceAccountToken: false\n      enable", "automountServiceAccountToken: true\n      enable", "mounts a token"},
		{"minimal", "serviceAccountName: promptsales-embedder", "serviceAccountName: default", "no ServiceAccount of its own"},
		{"minimal", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"},
		{"minimal", "runAsUser: 999", "runAsUser: 0", "may run as root"},
		{"minimal", "{ type: RuntimeDefault }", "{ type: Unconfined }", "no seccomp profile"},
		{"minimal", "enableServiceLinks: false", "hostNetwork: true", "has hostNetwork"},
		{"minimal", "emptyDir: { sizeLimit: 256Mi }", "hostPath: { path: / }", "path of the node"},
		{"minimal", "allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true", "may escalate"},
		{"minimal", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "may write its root"},
		{"minimal", "drop: [ALL]", "drop: [NET_RAW]", "keeps capabilities"},
		{"minimal", "limits:", "limit:", "limits have no"},
		{"minimal", "image: ghcr.io/promptsales/embedder:0.1.0", "image: ghcr.io/promptsales/embedder:latest", "has no version"},
		{"minimal", "image: ghcr.io/promptsales/embedder:0.1.0", "image: ghcr.io/promptsales/embedder", "has no version"},
		{"minimal", "startupProbe:", "startProbe:", "has no startupProbe"},
		{"minimal", "readinessProbe:", "readyProbe:", "has no readinessProbe"},
		{"minimal", "livenessProbe:", "liveProbe:", "has no livenessProbe"},
		{"minimal", "terminationGracePeriodSeconds: 40", "terminationGracePeriodSeconds: 15", "is killed after 15 s"},
		{"minimal", "sleep: { seconds: 5 }", "sleep: { seconds: 0 }", "endpoints still name it"},
		{"minimal", "topologySpreadConstraints:", "topology:", "is not spread"},
		{"minimal", "checksum/config:", "checksum:", "does not restart"},
		{"minimal", "kind: PodDisruptionBudget", "kind: ConfigMap", "no PodDisruptionBudget"},
		{"minimal", "concurrencyPolicy: Forbid", "concurrencyPolicy: Allow", "twice at a time"},
		{"minimal", "instance: promptsales }\n  policyTypes: [Ingress, Egress]", "instance: promptsales }\n  policyTypes: [Ingress]", "no NetworkPolicy refuses"},
		{"minimal", "listen = ", "listens = ", "has no setting listens"},
		{"minimal", "embedder_url = ", "listen = ", "needs embedder_url"},
		{"minimal", "embedder_url = ", "listen = ", "listen is set twice"},
		{"production", "embedder_index_entries_behind", "embedder_entries_behind", "no service exports embedder_entries_behind"},
		{"production", "metric: { name: http_server_active_requests }", "metric: { name: istio_requests }", "no service exports istio_requests"},
		{"production", "cnpg.io/cluster: promptsales-postgres } }\n  policyTypes", "cluster: promptsales-postgres } }\n  policyTypes", "Cluster/promptsales-postgres: no NetworkPolicy"},
		{"production", `"redis_setup_type":"replication"} }` + "\n  policyTypes", `"type":"replication"} }` + "\n  policyTypes", "RedisReplication/promptsales-redis: no NetworkPolicy"},
		{"production", `"redis_setup_type":"sentinel"} }` + "\n  policyTypes: [Ingress, ", `"redis_setup_type":"sentinel"} }` + "\n  policyTypes: [", "RedisSentinel/promptsales-redis: no NetworkPolicy"},
		{"production", "scheme: HTTPS", "scheme: HTTP", `speaks HTTPS, and its startupProbe asks by "HTTP"`},
		{"minimal", "scheme: HTTP", "scheme: HTTPS", `speaks HTTP, and its startupProbe asks by "HTTPS"`},
		{"production", `embedder_url = "https:`, `embedder_url = "http:`, "calls http://promptsales-embedder: without TLS"},
		{"production", "alert: PromptSalesSourceStale", "alert: PromptSalesNew", "no section PromptSalesNew"},
	}
	for _, one := range cases {
		sound := rendered(t, one.manifest)
		if !strings.Contains(sound, one.from) {
			t.Errorf("%q is not rendered", one.from)
			continue
		}
		faults := faultsOf(t, strings.Replace(sound, one.from, one.to, 1))
		if !strings.Contains(strings.Join(faults, "\n"), one.says) {
			t.Errorf("%q for %q: nothing says %q, but %q", one.to, one.from, one.says, faults)
		}
	}
}

// The example's rule gives the autoscalers what they ask for.
func TestTheAdaptersRuleOffersTheMetricOfTheAutoscalers(t *testing.T) {
	example, err := os.ReadFile(filepath.Join(root, "helm", "promptsales", "examples", "prometheus-adapter.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := parse([]byte(rendered(t, "production")))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, manifest := range manifests {
		for _, metric := range list(manifest, "spec", "metrics") {
			name := text(metric, "pods", "metric", "name")
			if name == "" {
				continue
			}
			asked++
			for _, part := range []string{"seriesQuery: " + name + "{", "as: " + name + " }"} {
				if !strings.Contains(string(example), part) {
					t.Errorf("%s asks for %s: expected %q in the example", called(manifest), name, part)
				}
			}
		}
	}
	if asked != len(services) {
		t.Errorf("%d autoscalers count requests in flight: expected %d", asked, len(services))
	}
}

func TestArrowsThatAreNotDrawnAreFound(t *testing.T) {
	policy := func(subject, way, key, peer string) string {
		return `
---
kind: NetworkPolicy
metadata: { name: test }
spec:
  podSelector: { matchLabels: { app.kubernetes.io/component: ` + subject + ` } }
  ` + way + `: [{ ports: [{ port: 1 }], ` + key + `: ` + peer + ` }]
`
	}
	pods := func(component string) string {
		return "[{ podSelector: { matchLabels: { app.kubernetes.io/component: " + component + " } } }]"
	}
	sound := rendered(t, "minimal")
	cases := []struct{ policy, says string }{
		{policy("embedder", "egress", "to", pods("content-api")), `"embedder" may call "content-api"`},
		{policy("redis", "ingress", "from", pods("embedder")), `"embedder" may call "redis"`},
		{policy("content-api", "egress", "to", pods("postgres")), `"content-api" is sent to "postgres", which refuses it`},
		{policy("postgres", "ingress", "from", pods("content-api")), `"postgres" lets "content-api" in, which may not leave`},
		{policy("redis", "egress", "to", "[{ ipBlock: { cidr: 0.0.0.0/0 } }]"), `"redis" may call "outside"`},
		{policy("mongodb", "ingress", "from", "[{ namespaceSelector: {} }]"), `"edge" may call "mongodb"`},
		{policy("redis", "ingress", "from", "[]"), "opens the way to everybody"},
		{strings.Replace(policy("redis", "ingress", "from", pods("content-api")), "ports:", "port:", 1), "opens every port"},
		{strings.Replace(policy("migrate", "egress", "to", pods("postgres")), "name: test",
			"name: test, annotations: { helm.sh/hook: pre-install }", 1), "resolve names"},
	}
	for _, one := range cases {
		faults := strings.Join(faultsOf(t, sound+one.policy), "\n")
		if !strings.Contains(faults, one.says) {
			t.Errorf("nothing says %q, but %q", one.says, faults)
		}
	}
	if faults := strings.Join(faultsOf(t, sound+"\n---\nkind: Secret\nmetadata: { name: made }\n"), ""); !strings.Contains(faults, "makes no secrets") {
		t.Errorf("a Secret passed: %q", faults)
	}
}
