{{/* Labels of an object of a program: (list . "webhook"), (list . "gateway"); "sidecar" is the API of one MiniCluster. */}}
{{- define "flux-metrics.labels" -}}
{{- $root := index . 0 -}}
{{- $program := index . 1 -}}
app.kubernetes.io/name: flux-metrics-{{ $program }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion }}
app.kubernetes.io/component: {{ eq $program "sidecar" | ternary "metrics-api" $program }}
app.kubernetes.io/part-of: flux-metrics
{{- end }}

{{/* The name of an image: (list . .Values.image). A digest wins over the tag. */}}
{{- define "flux-metrics.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Not empty if there is an adapter behind the gateway. */}}
{{- define "flux-metrics.upstreams" -}}
{{- $upstream := .Values.gateway.upstream -}}
{{- if eq .Values.mode "gateway" -}}
{{ $upstream.customMetrics.service }}{{ $upstream.externalMetrics.service }}
{{- end -}}
{{- end }}

{{/* The CAs of the adapters behind the gateway, as files of a ConfigMap; empty if there are none. */}}
{{- define "flux-metrics.upstreamCa" -}}
{{- if include "flux-metrics.upstreams" . -}}
{{- range $group := list "custom" "external" -}}
{{- $adapter := get $.Values.gateway.upstream (printf "%sMetrics" $group) -}}
{{- if and $adapter.service $adapter.ca }}
{{ $group }}-metrics-ca.crt: {{ $adapter.ca | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* By what the gateway finds and verifies the adapters behind it. */}}
{{- define "flux-metrics.upstreamEnv" -}}
{{- range $group := list "custom" "external" -}}
{{- $adapter := get $.Values.gateway.upstream (printf "%sMetrics" $group) -}}
{{- $variable := printf "UPSTREAM_%s_METRICS" (upper $group) -}}
{{- if $adapter.service }}
- name: {{ $variable }}
  value: {{ $adapter.service }}
{{- if $adapter.ca }}
- name: {{ $variable }}_CA_FILE
  value: /etc/flux-metrics/upstream/{{ $group }}-metrics-ca.crt
{{- else if $adapter.insecure }}
- name: {{ $variable }}_INSECURE
  value: "true"
{{- else }}
{{- fail (printf "gateway.upstream.%sMetrics needs ca, or insecure: true" $group) }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end }}
