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

{{/* How the services call each other. */}}
{{- define "promptsales.scheme" -}}
{{ empty .Values.tls.existingSecret | ternary "http" "https" }}
{{- end }}

{{- define "promptsales.tlsSettings" -}}
{{- if .Values.tls.existingSecret -}}
tls_certificate = "/run/secrets/tls/certificate"
tls_key = "/run/secrets/tls/key"
{{- end }}
{{- end }}

{{- define "promptsales.tlsMount" -}}
{{- if .Values.tls.existingSecret -}}
- { name: tls, mountPath: /run/secrets/tls, readOnly: true }
{{- end }}
{{- end }}

{{- define "promptsales.tlsVolume" -}}
{{- with .Values.tls.existingSecret -}}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items: [{ key: tls.crt, path: certificate }, { key: tls.key, path: key }]
{{- end }}
{{- end }}

{{/* Who calls its neighbours believes their authority beside the system's, which the issuer's certificate needs. The file
is where the images have it: naming only the directory would leave it out. */}}
{{- define "promptsales.authorityEnv" -}}
{{- if .Values.tls.existingSecret -}}
- { name: SSL_CERT_FILE, value: /etc/ssl/certs/ca-certificates.crt }
- { name: SSL_CERT_DIR, value: /run/secrets/authority }
{{- end }}
{{- end }}

{{- define "promptsales.authorityMount" -}}
{{- if .Values.tls.existingSecret -}}
- { name: authority, mountPath: /run/secrets/authority, readOnly: true }
{{- end }}
{{- end }}

{{- define "promptsales.authorityVolume" -}}
{{- with .Values.tls.existingSecret -}}
- name: authority
  secret: { secretName: {{ . }}, defaultMode: 0440, items: [{ key: ca.crt, path: ca }] }
{{- end }}
{{- end }}
