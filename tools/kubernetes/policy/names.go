package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What the rest of the repository knows: the names of settings and metrics.
type repository struct {
	// By service: name of a setting to whether it is required.
	settings map[string]map[string]bool
	// By service: the settings that values.schema.json takes under `settings`.
	offered map[string]map[string]bool
	metrics map[string]bool
	alerts  map[string]bool
}

var (
	services = []string{"embedder", "content-api", "sales-warehouse", "mcp-gateway"}
	// Where metrics that several services have are registered, below crates/.
	shared = []string{"service-kit/src/metrics/requests.rs", "service-kit/src/tls/handshakes.rs",
		"service-kit/src/listen/connections.rs", "audit/src/writer.rs"}
	setting  = regexp.MustCompile(`(?m)^#([a-z0-9_]+) = `)
	assigned = regexp.MustCompile(`(?m)^([a-z0-9_]+) = `)
	prefix   = regexp.MustCompile(`sub_registry_with_prefix\("([a-z_]+)"\)`)
	metric   = regexp.MustCompile(`register(_with_unit)?\(\s*"([a-z_]+)"`)
	used     = regexp.MustCompile(`\b(?:embedder|sales_warehouse|content_api|mcp_gateway|promptsales|http_server|http_client)_[a-z_]+`)
	heading  = regexp.MustCompile(`(?m)^##+ (PromptSales\w+)$`)
)

func readRepository(root string) (repository, error) {
	known := repository{
		settings: map[string]map[string]bool{},
		offered:  map[string]map[string]bool{},
		metrics:  map[string]bool{"promptsales_build_info": true},
		alerts:   map[string]bool{},
	}
	for _, file := range shared {
		source, err := os.ReadFile(filepath.Join(root, "crates", filepath.FromSlash(file)))
		if err != nil {
			return known, err
		}
		addNames("", string(source), known.metrics)
	}
	for _, service := range services {
		documented, err := os.ReadFile(filepath.Join(root, service, service+".toml"))
		if err != nil {
			return known, err
		}
		known.settings[service] = settingsOf(string(documented))
		source, err := os.ReadFile(filepath.Join(root, service, "src", "metrics.rs"))
		if err == nil {
			addMetrics(string(source), known.metrics)
		} else if !os.IsNotExist(err) {
			return known, err
		}
	}
	runbooks, err := os.ReadFile(filepath.Join(root, "docs", "RUNBOOKS.md"))
	if err != nil {
		return known, err
	}
	for _, found := range heading.FindAllStringSubmatch(string(runbooks), -1) {
		known.alerts[found[1]] = true
	}
	return known, readSchema(root, known)
}

// settingsOf reads a documented configuration, which names each setting as a comment with its environment before it.
func settingsOf(documented string) map[string]bool {
	names := map[string]bool{}
	for _, paragraph := range strings.Split(documented, "\n\n") {
		if found := setting.FindStringSubmatch(paragraph); found != nil {
			names[found[1]] = strings.Contains(paragraph, "required")
		}
	}
	return names
}

// addMetrics reads the names that a service registers, as the encoder writes them.
func addMetrics(source string, into map[string]bool) {
	found := prefix.FindStringSubmatch(source)
	if found == nil {
		return
	}
	addNames(found[1]+"_", source, into)
}

func addNames(prefix, source string, into map[string]bool) {
	for _, one := range metric.FindAllStringSubmatch(source, -1) {
		name := prefix + one[2]
		if one[1] != "" {
			name += "_seconds"
		}
		// As it is, as a counter, and as what a histogram consists of.
		for _, suffix := range []string{"", "_total", "_bucket", "_count", "_sum"} {
			into[name+suffix] = true
		}
	}
}

// readSchema takes down which settings values.schema.json offers, and refuses one that no service has.
func readSchema(root string, known repository) error {
	text, err := os.ReadFile(filepath.Join(root, "helm", "promptsales", "values.schema.json"))
	if err != nil {
		return err
	}
	var schema object
	if err := json.Unmarshal(text, &schema); err != nil {
		return err
	}
	for key, service := range map[string]string{"embedder": "embedder", "contentApi": "content-api",
		"salesWarehouse": "sales-warehouse", "mcpGateway": "mcp-gateway"} {
		known.offered[service] = map[string]bool{}
		for name := range at(schema, "properties", key, "properties", "settings", "properties") {
			if _, exists := known.settings[service][name]; !exists {
				return fmt.Errorf("values.schema.json: %s.settings.%s: %s has no such setting", key, name, service)
			}
			known.offered[service][name] = true
		}
	}
	return nil
}

// checkSettings holds a service's configuration against what the service reads.
func checkSettings(manifest object, known repository, note func(string, ...any)) {
	for _, service := range services {
		config := text(manifest, "data", service+".toml")
		if config == "" {
			continue
		}
		set := map[string]bool{}
		for _, found := range assigned.FindAllStringSubmatch(config, -1) {
			if set[found[1]] {
				note("%s: %s is set twice", called(manifest), found[1])
			}
			set[found[1]] = true
			if _, exists := known.settings[service][found[1]]; !exists {
				note("%s: %s has no setting %s", called(manifest), service, found[1])
			}
		}
		for name, required := range known.settings[service] {
			if required && !set[name] {
				note("%s: %s needs %s", called(manifest), service, name)
			}
		}
	}
}

// checkMetrics holds alerts, dashboards and autoscalers against what the services export, and alerts against their runbooks.
func checkMetrics(manifest object, known repository, note func(string, ...any)) {
	var expressions []string
	for _, group := range list(manifest, "spec", "groups") {
		for _, rule := range list(group, "rules") {
			expressions = append(expressions, text(rule, "expr"))
			if alert := text(rule, "alert"); !known.alerts[alert] {
				note("%s: docs/RUNBOOKS.md has no section %s", called(manifest), alert)
			}
		}
	}
	for name, content := range at(manifest, "data") {
		var dashboard object
		if !strings.HasSuffix(name, ".json") {
			continue
		}
		if err := json.Unmarshal([]byte(content.(string)), &dashboard); err != nil {
			note("%s: %s is no JSON: %v", called(manifest), name, err)
		}
		for _, panel := range list(dashboard, "panels") {
			for _, target := range list(panel, "targets") {
				expressions = append(expressions, text(target, "expr"))
			}
		}
	}
	for _, metric := range list(manifest, "spec", "metrics") {
		if name := text(metric, "pods", "metric", "name"); name != "" && !known.metrics[name] {
			note("%s: no service exports %s", called(manifest), name)
		}
	}
	for _, expression := range expressions {
		for _, name := range used.FindAllString(expression, -1) {
			if !known.metrics[name] {
				note("%s: no service exports %s", called(manifest), name)
			}
		}
	}
}
