{{/* Settings that several services have, as lines of their TOML, and the files that go with them. Each is empty where the
feature is off. */}}

{{/* Whose word about the caller is taken: the gateway's. A file, so that no call runs back to it. */}}
{{- define "promptsales.callerSettings" -}}
{{- if .Values.callers.existingSecret -}}
caller_keys = "/run/secrets/callers/caller_keys"
caller_client = [{{ .Values.mcpGateway.clientId | toJson }}]
{{- end }}
{{- end }}

{{- define "promptsales.callerMount" -}}
{{- if .Values.callers.existingSecret -}}
- { name: callers, mountPath: /run/secrets/callers, readOnly: true }
{{- end }}
{{- end }}

{{/* Mounted whole: a file of a `subPath` would not follow a change of the Secret. */}}
{{- define "promptsales.callerVolume" -}}
{{- with .Values.callers.existingSecret -}}
- name: callers
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{/* Audit events go to standard output, where the log goes to standard error: a pod's disk would go with the pod. */}}
{{- define "promptsales.auditSettings" -}}
{{- if .Values.audit.enabled -}}
audit = "stdout"
audit_key_file = "/run/secrets/promptsales/audit_key"
{{- end }}
{{- end }}

{{/* Where traces go. */}}
{{- define "promptsales.traceSettings" -}}
{{- with .Values.observability.otlpEndpoint -}}
otlp_endpoint = {{ toJson . }}
{{- end }}
{{- end }}

{{/* An egress rule to the collector of traces. A rule without peers would let everything through. */}}
{{- define "promptsales.toCollector" -}}
{{- if .Values.observability.otlpEndpoint -}}
{{- with .Values.networkPolicy.collector -}}
- ports:
    {{- range .ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  to:
    {{- if not .to }}
    {{- fail "networkPolicy.collector.to: say who takes the traces of observability.otlpEndpoint" }}
    {{- end }}
    {{- toYaml .to | nindent 4 }}
{{- end }}
{{- end }}
{{- end }}
