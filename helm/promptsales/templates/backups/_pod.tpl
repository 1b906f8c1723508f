{{/* The pod that dumps a store and encrypts the dump, or decrypts a dump and restores it: the same two steps, in one
order or the other. Takes (list $ "store" "dump"), or "restore". */}}
{{- define "promptsales.backupPod" -}}
{{- $root := index . 0 -}}
{{- $store := index . 1 -}}
{{- $way := index . 2 -}}
{{- $values := $root.Values.backups -}}
restartPolicy: Never
{{- include "promptsales.podIdentity" (list $root "backup" 65532) | nindent 0 }}
initContainers:
  - name: {{ eq $way "dump" | ternary $store "restic" }}
    {{- include (printf "promptsales.backupStep.%s" (eq $way "dump" | ternary $store "restic")) . | nindent 4 }}
    {{- include "promptsales.backupStep" $root | nindent 4 }}
containers:
  - name: {{ eq $way "dump" | ternary "restic" $store }}
    {{- include (printf "promptsales.backupStep.%s" (eq $way "dump" | ternary "restic" $store)) . | nindent 4 }}
    {{- include "promptsales.backupStep" $root | nindent 4 }}
volumes:
  - name: scripts
    configMap: { name: {{ include "promptsales.name" $root }}-backup, defaultMode: 0555 }
  - name: secrets
    secret:
      defaultMode: 0440
      {{- if eq $store "mongodb" }}
      secretName: {{ $root.Values.contentApi.existingSecret }}
      items: [{ key: database_url, path: database_url }]
      {{- else if eq $store "qdrant" }}
      secretName: {{ $root.Values.qdrant.existingSecret }}
      items: [{ key: api_key, path: api_key }]
      {{- else }}
      secretName: {{ $root.Values.postgres.existingSecret }}
      {{- end }}
  # Its root is not ours: a file system may keep lost+found there.
  - name: scratch
    ephemeral:
      volumeClaimTemplate:
        spec:
          {{- include "promptsales.claim" $values.scratch | nindent 10 }}
  - name: tmp
    emptyDir: { sizeLimit: 2Gi }
  {{- if not $values.repository }}
  - name: repository
    persistentVolumeClaim: { claimName: {{ include "promptsales.name" $root }}-backup }
  {{- end }}
{{- end }}

{{/* What both steps have. Takes $. */}}
{{- define "promptsales.backupStep" -}}
resources:
  {{- toYaml .Values.backups.resources | nindent 2 }}
securityContext:
  {{- include "promptsales.containerSecurity" . | nindent 2 }}
volumeMounts:
  - { name: scripts, mountPath: /scripts, readOnly: true }
  - { name: secrets, mountPath: /run/secrets/promptsales, readOnly: true }
  - { name: scratch, mountPath: /scratch }
  - { name: tmp, mountPath: /tmp }
  {{- if not .Values.backups.repository }}
  - { name: repository, mountPath: /repository }
  {{- end }}
{{- end }}

{{- define "promptsales.backupStep.restic" -}}
{{- $values := (index . 0).Values.backups -}}
image: {{ $values.image }}
command: [/scripts/restic-{{ index . 2 }}.sh]
env:
  - { name: STORE, value: {{ index . 1 }} }
  - { name: SCRATCH, value: /scratch/dump }
  - { name: KEEP_DAYS, value: {{ $values.keepDays | quote }} }
  - { name: RESTIC_REPOSITORY, value: {{ $values.repository | default "/repository" | quote }} }
  - { name: RESTIC_CACHE_DIR, value: /tmp }
envFrom: [{ secretRef: { name: {{ $values.existingSecret }} } }]
{{- end }}

{{- define "promptsales.backupStep.postgres" -}}
{{- $root := index . 0 -}}
{{- $postgres := $root.Values.postgres -}}
{{- $host := printf "%s-postgres-rw" (include "promptsales.name" $root) -}}
{{- if eq $postgres.provider "external" }}{{ $host = required "postgres.host: say which PostgreSQL to back up" $postgres.host }}{{ end -}}
image: {{ $postgres.image }}
command: [/scripts/postgres-{{ index . 2 }}.sh]
env:
  - { name: SCRATCH, value: /scratch/dump }
  - { name: DATABASES, value: {{ join " " $postgres.databases | quote }} }
  - { name: PGHOST, value: {{ $host }} }
  - { name: PGPORT, value: {{ $postgres.port | quote }} }
  - { name: PGSSLMODE, value: {{ $postgres.sslMode }} }
  - { name: PGUSER, valueFrom: { secretKeyRef: { name: {{ $postgres.existingSecret }}, key: username } } }
  - { name: PGPASSWORD, valueFrom: { secretKeyRef: { name: {{ $postgres.existingSecret }}, key: password } } }
{{- end }}

{{- define "promptsales.backupStep.mongodb" -}}
image: {{ (index . 0).Values.mongodb.image }}
command: [/scripts/mongodb-{{ index . 2 }}.sh]
env:
  - { name: SCRATCH, value: /scratch/dump }
  - { name: HOME, value: /tmp }
  - { name: URL_FILE, value: /run/secrets/promptsales/database_url }
{{- end }}

{{- define "promptsales.backupStep.qdrant" -}}
{{- $root := index . 0 -}}
image: {{ $root.Values.backups.curlImage }}
command: [/scripts/qdrant-{{ index . 2 }}.sh]
env:
  - { name: SCRATCH, value: /scratch/dump }
  - { name: API_KEY_FILE, value: /run/secrets/promptsales/api_key }
  - { name: QDRANT, value: {{ $root.Values.qdrant.httpUrl | default (printf "http://%s-qdrant:6333" (include "promptsales.name" $root)) | quote }} }
{{- end }}
