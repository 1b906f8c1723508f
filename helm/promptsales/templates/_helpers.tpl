{{/* What the names of all objects begin with. */}}
{{- define "promptsales.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* The labels that select a component's pods. Takes (list $ "component"). */}}
{{- define "promptsales.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: promptsales
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end }}

{{/* All labels of a component's objects. Takes (list $ "component"). */}}
{{- define "promptsales.labels" -}}
{{- $root := first . -}}
{{ include "promptsales.selector" . }}
app.kubernetes.io/part-of: promptsales
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Name and labels of an object. Takes (list $ "component"), or (list $ "component" "rest-of-the-name"). */}}
{{- define "promptsales.metadata" -}}
{{- $root := first . -}}
name: {{ include "promptsales.name" $root }}-{{ last . }}
labels:
  {{- include "promptsales.labels" (list $root (index . 1)) | nindent 2 }}
{{- end }}

{{/* Image and pull policy of a service. Takes (list $ "service"). */}}
{{- define "promptsales.image" -}}
{{- $root := first . -}}
{{- with $root.Values.image -}}
image: {{ .registry }}/{{ last $ }}:{{ .tag | default $root.Chart.AppVersion }}
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}

{{/* What every pod begins with: an identity without a token, and nobody's rights. Takes (list $ "component" uid). */}}
{{- define "promptsales.podIdentity" -}}
{{- $root := first . -}}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "promptsales.name" $root }}-{{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ last . }}
  runAsGroup: {{ last . }}
  fsGroup: {{ last . }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: { type: RuntimeDefault }
{{- end }}

{{/* What Pod Security "restricted" asks of a container, and a root that cannot be written. */}}
{{- define "promptsales.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Where a component's pods run: apart from each other, over zones and nodes. Takes (list $ "component" values). */}}
{{- define "promptsales.placement" -}}
{{- $selector := include "promptsales.selector" (list (first .) (index . 1)) -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
  {{- end }}
{{- with (last .).nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (last .).tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Probes of a service: five minutes to start, unready while something is missing, killed only when it hangs. */}}
{{- define "promptsales.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: http, scheme: {{ include "promptsales.scheme" . | upper }} }
  periodSeconds: 5
  failureThreshold: 60
readinessProbe:
  httpGet: { path: /readyz, port: http, scheme: {{ include "promptsales.scheme" . | upper }} }
  periodSeconds: 5
  timeoutSeconds: 4
  failureThreshold: 3
livenessProbe:
  httpGet: { path: /livez, port: http, scheme: {{ include "promptsales.scheme" . | upper }} }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* Time to leave: endpoints forget the pod for 5 s, the service drains for 10 s, and the rest is to spare. */}}
{{- define "promptsales.preStop" -}}
lifecycle:
  preStop:
    sleep: { seconds: 5 }
{{- end }}
{{- define "promptsales.terminationGrace" -}}
terminationGracePeriodSeconds: 40
{{- end }}

{{/* A service's further settings, as lines of TOML. Takes the map. */}}
{{- define "promptsales.settings" -}}
{{- range $name, $value := . }}
{{ $name }} = {{ toJson $value }}
{{- end }}
{{- end }}

{{/* Service and ServiceAccount of a component. Takes (list $ "component" ports), ports being name to number. */}}
{{- define "promptsales.service" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "promptsales.metadata" (list $root $component) | nindent 2 }}
  {{- if has $component (list "content-api" "mcp-gateway") }}
  {{- with $root.Values.expose.serviceAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
spec:
  selector:
    {{- include "promptsales.selector" (list $root $component) | nindent 4 }}
  ports:
    {{- range $name, $port := last . }}
    - name: {{ $name }}
      port: {{ $port }}
      targetPort: {{ $name }}
      protocol: TCP
      {{- if and (eq $name "http") $root.Values.tls.existingSecret }}
      appProtocol: https
      {{- end }}
    {{- end }}
---
{{ include "promptsales.serviceAccount" (list $root $component) }}
{{- end }}

{{/* A ServiceAccount, which may do nothing. Takes (list $ "component"). */}}
{{- define "promptsales.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "promptsales.metadata" . | nindent 2 }}
automountServiceAccountToken: false
{{- end }}

{{/* HorizontalPodAutoscaler and PodDisruptionBudget of a component. Takes (list $ "component" values). */}}
{{- define "promptsales.scaling" -}}
{{- $root := first . -}}
{{- $component := index . 1 -}}
{{- $values := last . -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "promptsales.metadata" (list $root $component) | nindent 2 }}
spec:
  maxUnavailable: {{ $values.disruptionBudget.maxUnavailable }}
  # A pod that is not ready protects nobody, and must not hold up a drain.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "promptsales.selector" (list $root $component) | nindent 6 }}
{{- with $values.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "promptsales.metadata" (list $root $component) | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "promptsales.name" $root }}-{{ $component }} }
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: {{ .cpu }} } }
    - type: Resource
      resource: { name: memory, target: { type: Utilization, averageUtilization: {{ .memory }} } }
    {{- if .concurrency.metric }}
    - type: Pods
      pods:
        metric: { name: {{ .concurrency.metric }} }
        target: { type: AverageValue, averageValue: {{ .concurrency.target | quote }} }
    {{- end }}
  behavior:
    scaleDown: { stabilizationWindowSeconds: 300 }
{{- end }}
{{- end }}
{{- end }}

{{/* Peers: pods of these components. Takes (list $ "component"…). */}}
{{- define "promptsales.pods" -}}
{{- $root := first . -}}
{{- range rest . }}
- podSelector:
    matchLabels:
      {{- include "promptsales.selector" (list $root .) | nindent 6 }}
{{- end }}
{{- end }}

{{/* An egress rule to a store. Takes (list $ "store" port). */}}
{{- define "promptsales.toStore" -}}
{{- $root := first . -}}
{{- $name := index . 1 -}}
{{- $store := index $root.Values $name -}}
- ports: [{ port: {{ last . }}, protocol: TCP }{{ if and (eq $name "redis") (eq $store.provider "operator") }}, { port: 26379, protocol: TCP }{{ end }}]
  to:
  {{- if eq $store.provider "chart" }}
    {{- include "promptsales.pods" (list $root $name) | nindent 4 }}
  {{- else if eq $store.provider "external" }}
    {{- range $store.cidrs }}
    - ipBlock: { cidr: {{ . }} }
    {{- else }}
    {{- fail (printf "%s.cidrs: say where the external store is, such as [10.1.2.0/24]" $name) }}
    {{- end }}
  {{- else if eq $name "postgres" }}
    - podSelector: { matchLabels: { cnpg.io/cluster: {{ include "promptsales.name" $root }}-postgres } }
  {{- else }}
    - podSelector: { matchLabels: { redis_setup_type: replication, app: {{ include "promptsales.name" $root }}-redis } }
    - podSelector: { matchLabels: { redis_setup_type: sentinel, app: {{ include "promptsales.name" $root }}-redis-sentinel } }
  {{- end }}
{{- end }}

{{/* An egress rule to the cluster's name servers. */}}
{{- define "promptsales.toDns" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
  to:
    - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }
      podSelector: { matchLabels: { k8s-app: kube-dns } }
{{- end }}

{{/* An egress rule to the issuer or the object storage. A rule without peers would let everything through. */}}
{{- define "promptsales.toInternet" -}}
{{- with .Values.networkPolicy.internet -}}
- ports: [{ port: 443, protocol: TCP }]
  to:
    {{- range . }}
    - ipBlock:
        {{- toYaml . | nindent 8 }}
    {{- end }}
{{- end }}
{{- end }}

{{/* An egress rule to PromptAds and PromptCrm, where they are not databases of our PostgreSQL. */}}
{{- define "promptsales.toSources" -}}
{{- with .Values.salesWarehouse.etl.sources -}}
{{- if .cidrs -}}
- ports:
    {{- range .ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  to:
    {{- range .cidrs }}
    - ipBlock: { cidr: {{ . }} }
    {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* An egress rule to content-api, whose change feed is the source PromptContent. */}}
{{- define "promptsales.toContentFeed" -}}
- ports: [{ port: 7420, protocol: TCP }]
  to:
    {{- include "promptsales.pods" (list . "content-api") | nindent 4 }}
{{- end }}

{{/* Who reads that feed, or nobody: the component that runs the ETL. */}}
{{- define "promptsales.feedReader" -}}
{{- with .Values.salesWarehouse.etl -}}
{{- if .content }}{{ eq .mode "cron" | ternary "etl" "sales-warehouse" }}{{ end -}}
{{- end -}}
{{- end }}

{{/* Where a service finds Redis. The URL holds no password: that is a file. Takes (list $ "VARIABLE"). */}}
{{- define "promptsales.redisUrl" -}}
{{- $root := first . -}}
{{- $name := include "promptsales.name" $root -}}
{{- $redis := $root.Values.redis -}}
{{- if ne $redis.provider "none" -}}
- name: {{ last . }}
  {{- if eq $redis.provider "chart" }}
  value: redis://{{ $name }}-redis:6379/0
  {{- else if eq $redis.provider "operator" }}
  value: redis-sentinel://{{ $name }}-redis-sentinel:26379/promptsales
  {{- else }}
  value: {{ required "redis.url: say where the external Redis is" $redis.url }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Containers and volumes of a warehouse command that runs and ends. It takes all from the environment, for a hook runs
before the ConfigMap is there. Takes (list $ "[arguments]"), and as a third what reads content-api too: true. */}}
{{- define "promptsales.warehouseCommand" -}}
{{- $root := first . -}}
{{- $values := $root.Values.salesWarehouse -}}
{{- $reads := and (eq (len .) 3) (last .) -}}
containers:
  - name: sales-warehouse
    {{- include "promptsales.image" (list $root "sales-warehouse") | nindent 4 }}
    args: {{ index . 1 }}
    env:
      - { name: SALES_WAREHOUSE_DATABASE_URL_FILE, value: /run/secrets/promptsales/database_url }
      - { name: SALES_WAREHOUSE_PROMPTADS_URL_FILE, value: /run/secrets/promptsales/promptads_url }
      - { name: SALES_WAREHOUSE_PROMPTCRM_URL_FILE, value: /run/secrets/promptsales/promptcrm_url }
      - { name: SALES_WAREHOUSE_RUN_LIMIT, value: {{ $values.etl.runLimit | quote }} }
      {{- with and (contains "etl" (index . 1)) $root.Values.observability.otlpEndpoint }}
      - { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }} }
      {{- end }}
      {{- if $reads }}
      - { name: SALES_WAREHOUSE_CONTENT_API_URL, value: "{{ include "promptsales.scheme" $root }}://{{ include "promptsales.name" $root }}-content-api:7420" }
      - { name: SALES_WAREHOUSE_CONTENT_API_AUDIENCE, value: {{ $root.Values.oauth.audience | quote }} }
      - { name: SALES_WAREHOUSE_TOKEN_URL, value: {{ $root.Values.oauth.tokenUrl | quote }} }
      - { name: SALES_WAREHOUSE_CLIENT_ID, value: {{ $values.clientId | quote }} }
      - { name: SALES_WAREHOUSE_CLIENT_SECRET_FILE, value: /run/secrets/promptsales/client_secret }
      {{- with include "promptsales.authorityEnv" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- end }}
    resources:
      {{- toYaml $values.etl.resources | nindent 6 }}
    securityContext:
      {{- include "promptsales.containerSecurity" . | nindent 6 }}
    volumeMounts:
      - { name: secrets, mountPath: /run/secrets/promptsales, readOnly: true }
      {{- if $reads }}
      {{- with include "promptsales.authorityMount" $root }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- end }}
      - { name: tmp, mountPath: /tmp }
volumes:
  - name: secrets
    secret: { secretName: {{ $values.existingSecret }}, defaultMode: 0440 }
  {{- if $reads }}
  {{- with include "promptsales.authorityVolume" $root }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- end }}
  - name: tmp
    emptyDir: { sizeLimit: 64Mi }
{{- end }}

{{/* A store's volume. Takes its `storage`. */}}
{{- define "promptsales.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .className }}
storageClassName: {{ . }}
{{- end }}
resources: { requests: { storage: {{ .size }} } }
{{- end }}

{{/* Around an in-chart store: Service, ServiceAccount, and who may call it.
Takes (list $ "store" ports callers "name-of-the-service"). */}}
{{- define "promptsales.storeAccess" -}}
{{- $root := first . -}}
{{- $store := index . 1 -}}
{{- $ports := index . 2 -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "promptsales.metadata" (list $root $store (last .)) | nindent 2 }}
spec:
  selector:
    {{- include "promptsales.selector" (list $root $store) | nindent 4 }}
  ports:
    {{- range $name, $port := $ports }}
    - { name: {{ $name }}, port: {{ $port }}, targetPort: {{ $name }}, protocol: TCP }
    {{- end }}
---
{{ include "promptsales.serviceAccount" (list $root $store) }}
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "promptsales.metadata" (list $root $store) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "promptsales.selector" (list $root $store) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range $caller, $port := index . 3 }}
    - ports: [{ port: {{ $port }}, protocol: TCP }]
      from:
        {{- include "promptsales.pods" (list $root $caller) | nindent 8 }}
    {{- end }}
{{- end }}
{{- end }}

{{/* Nothing, or why the content that lives in PostgreSQL would not be made or backed up. Takes $. */}}
{{- define "promptsales.checkContentDatabase" -}}
{{- if and (eq .Values.mongodb.provider "none") (or .Values.backups.enabled (ne .Values.postgres.provider "external")) -}}
{{- $database := required "contentApi.database: content lives in PostgreSQL (mongodb.provider is none), so name the database of content-api's database_url" .Values.contentApi.database -}}
{{- if not (has $database .Values.postgres.databases) -}}
{{- fail (printf "postgres.databases: add %s, which contentApi.database names, or its content is neither made nor backed up" $database) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The stores that are backed up, as words. */}}
{{- define "promptsales.backedUp" -}}
postgres
{{- if ne .Values.mongodb.provider "none" }} mongodb{{ end }}
{{- if or (eq .Values.qdrant.provider "chart") .Values.qdrant.httpUrl }} qdrant{{ end }}
{{- end }}
