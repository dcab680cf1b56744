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

{{/* The settings as a map: given as such, or as the text of cst.yaml (--set-file settings=cst.yaml). Use with fromYaml. */}}
{{- define "cst.settings" -}}
{{- $settings := .Values.settings -}}
{{- if kindIs "string" $settings }}{{ $settings = fromYaml $settings }}{{ end -}}
{{- if $settings.Error }}{{ fail (printf "settings is no YAML: %s" $settings.Error) }}{{ end -}}
{{- if not $settings.dns -}}
{{- fail "the settings of the centre are missing: give them with --set-file settings=cst.yaml" -}}
{{- /* Only `helm lint` goes on from here. */ -}}
{{- $settings = dict "dns" dict -}}
{{- end -}}
{{- toYaml (omit $settings "apiVersion" "kind") }}
{{- end }}

{{/* The dynamic zone of challenges: zone, servers and clients, names as BIND has them; without it, or without a public server, nothing. */}}
{{- define "cst.acme" -}}
{{- $settings := include "cst.settings" . | fromYaml -}}
{{- $acme := $settings.dns.acme -}}
{{- if and $acme .Values.dns.servers -}}
{{- $servers := list -}}
{{- range $acme.nameServers | default $settings.dns.nameServers }}{{ $servers = append $servers (include "cst.name" .) }}{{ end -}}
{{- $clients := list -}}
{{- range $client := $acme.clients -}}
{{- $names := list -}}
{{- range $client.names }}{{ $names = append $names (include "cst.name" .) }}{{ end -}}
{{- $within := list -}}
{{- range $client.within }}{{ $within = append $within (eq . "." | ternary "." (include "cst.name" .)) }}{{ end -}}
{{- $clients = append $clients (dict "name" (include "cst.name" $client.name) "names" $names "within" $within "namespace" $client.namespace) -}}
{{- end -}}
{{- dict "zone" (include "cst.name" $acme.zone) "servers" $servers "clients" $clients | toYaml -}}
{{- end -}}
{{- end }}

{{/* A name in BIND's configuration: lower-case, without the last dot, and nothing that could be more than a name. */}}
{{- define "cst.name" -}}
{{- $name := . | toString | lower | trimSuffix "." -}}
{{- if and (ne . ".") (not (regexMatch "^[a-z0-9_-]+([.][a-z0-9_-]+)*$" $name)) -}}
{{- fail (printf "settings.dns.acme: %q is no name: write letters, digits, hyphens and dots, an internationalised name in its form xn--…" .) -}}
{{- end -}}
{{ $name }}
{{- end }}

{{/* A secret text, drawn once: the one in the cluster, else a new one; call with (dict "root" $ "name" … "key" …), and "namespace" where it
   is not the release's. */}}
{{- define "cst.drawn" -}}
{{- $kept := lookup "v1" "Secret" (.namespace | default .root.Release.Namespace) .name -}}
{{- if $kept -}}
{{ index $kept.data .key | b64dec }}
{{- else -}}
{{ randBytes 32 }}
{{- end -}}
{{- end }}
