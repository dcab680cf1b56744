{{/* Labels of everything the chart makes; call with (dict "root" $ "component" "…"). */}}
{{- define "cst.labels" -}}
app.kubernetes.io/name: cst
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{/* What selects a component's pods. */}}
{{- define "cst.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* An image by name; call with (dict "root" $ "name" "…"). */}}
{{- define "cst.image" -}}
{{ .root.Values.image.registry }}/{{ .name }}:{{ .root.Values.image.tag }}
{{- end }}

{{/* What every container of ours runs under. */}}
{{- define "cst.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What a pod of ours runs under. */}}
{{- define "cst.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* The namespace of the mail system. */}}
{{- define "cst.mailNamespace" -}}
{{ (.Values.mail).namespace | default "cst-mail" }}
{{- end }}

{{/* The TSIG secret: the given one, else the one in the cluster, else a new one. */}}
{{- define "cst.tsig" -}}
{{- $kept := lookup "v1" "Secret" .Release.Namespace "cst-transfer-key" -}}
{{- if .Values.dns.tsigSecret -}}
{{ .Values.dns.tsigSecret }}
{{- else if $kept -}}
{{ index $kept.data "transfer" | b64dec }}
{{- else -}}
{{ randBytes 32 }}
{{- end -}}
{{- end }}
