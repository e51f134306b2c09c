// The component for Prometheus: every metric that its alerts and its dashboard name is one that the programs serve, and each
// alert fires when it should, by Prometheus' own promtool where it is installed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, parseAllDocuments, stringify } from 'yaml'

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'manifests/components/prometheus')

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly action: string }
}

const { spec } = parse(readFileSync(join(FOLDER, 'alerts.yaml'), 'utf8')) as {
  readonly spec: { readonly groups: readonly { readonly name: string; readonly rules: Rule[] }[] }
}
const RULES = spec.groups.flatMap(({ rules }) => rules)

const { data } = parse(readFileSync(join(FOLDER, 'dashboard.yaml'), 'utf8')) as {
  readonly data: Readonly<Record<string, string>>
}
const dashboard = JSON.parse(data['flux-metrics.json'] ?? '') as {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
    readonly targets: readonly { readonly refId: string; readonly expr: string }[]
  }[]
}

/** The names of metrics in the sources of the programs. */
const SERVED = new Set(
  spawnSync('grep', ['-rhoE', "'flux_[a-z_]+'", 'sidecar', 'webhook'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .stdout.split('\n')
    .map((name) => name.replaceAll("'", '')),
)

function metricsIn(expr: string): readonly string[] {
  return expr.match(/flux_[a-z_]+/g) ?? []
}

test('the programs serve every metric of the alerts and of the dashboard', () => {
  const expressions = [
    ...RULES.map(({ expr }) => expr),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ]
  const names = new Set(expressions.flatMap(metricsIn))
  assert.ok(names.size > 15)
  assert.deepEqual(
    [...names].filter((name) => !SERVED.has(name)),
    [],
  )
})

test('each alert has a severity, a summary, and what to do', () => {
  for (const { alert, labels, annotations } of RULES) {
    assert.match(alert, /^Flux[A-Za-z]+$/)
    assert.ok(['info', 'warning', 'critical'].includes(labels.severity), alert)
    assert.ok(annotations.summary !== '' && annotations.action !== '', alert)
  }
  assert.equal(new Set(RULES.map(({ alert }) => alert)).size, RULES.length)
})

test('the panels of the dashboard have their own ids and places, and two replicas make one line', () => {
  const { panels } = dashboard
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const [index, { gridPos: a }] of panels.entries()) {
    assert.ok(a.x + a.w <= 24)
    for (const { gridPos: b } of panels.slice(index + 1)) {
      const overlaps = a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
      assert.ok(!overlaps)
    }
  }
  for (const { expr } of panels.flatMap(({ targets }) => targets)) {
    assert.match(expr, /^(max|sum)[ (]/)
  }
})

test('the monitors scrape a port that the Deployments have', () => {
  const monitors = parseAllDocuments(readFileSync(join(FOLDER, 'monitors.yaml'), 'utf8'))
  for (const monitor of monitors.map((document) => document.toJS())) {
    const name = monitor.spec.selector.matchLabels['app.kubernetes.io/name']
    const folder = name === 'flux-metrics-gateway' ? 'gateway' : 'base'
    const text = readFileSync(join(ROOT, 'manifests', folder, 'deployment.yaml'), 'utf8')
    const deployment = parseAllDocuments(text)
      .map((document) => document.toJS())
      .find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name)
    const ports = deployment.spec.template.spec.containers.flatMap(
      (container: { readonly ports: readonly { readonly name: string }[] }) => container.ports,
    )
    for (const { port } of monitor.spec.podMetricsEndpoints) {
      assert.ok(ports.some((candidate: { readonly name: string }) => candidate.name === port))
    }
  }
})

const ONE = 'namespace="hpc",minicluster="one"'
const INFO = `{namespace="hpc",horizontalpodautoscaler="h",scaletargetref_kind="MiniCluster",scaletargetref_name="one"}`

/** What an installation without problems has. */
const WELL: Readonly<Record<string, string>> = {
  'flux_gateway_api_services{name="v1beta1.custom.metrics.k8s.io",state="published"}': '1x200',
  'flux_metrics_webhook_leader{instance="a"}': '1x200',
  [`flux_snapshot_fresh{${ONE},instance="a"}`]: '1x200',
  [`flux_snapshot_fresh{${ONE},instance="b"}`]: '1x200',
  [`flux_desired_nodes{${ONE}}`]: '4x200',
  [`kube_horizontalpodautoscaler_info${INFO}`]: '1x200',
  'kube_horizontalpodautoscaler_spec_max_replicas{namespace="hpc",horizontalpodautoscaler="h"}':
    '8x200',
  [`flux_certificate_end_timestamp_seconds{${ONE}}`]: '86400x200',
  'flux_metrics_webhook_reconcile_timestamp_seconds{instance="a"}': '0+60x200',
  'flux_gateway_certificate_end_timestamp_seconds{instance="a"}': '86400x200',
  'flux_gateway_certificate_end_timestamp_seconds{instance="b"}': '86400x200',
  'flux_metrics_webhook_certificate_end_timestamp_seconds{instance="a"}': '86400x200',
}

/** What makes each alert fire: samples that are added, or replaced; `undefined`: that are missing. */
const CASES: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  FluxUnread: {
    [`flux_snapshot_fresh{${ONE},instance="a"}`]: '0x200',
    [`flux_snapshot_fresh{${ONE},instance="b"}`]: '0x200',
  },
  FluxSidecarUnscraped: { 'flux_gateway_sidecars_unscraped{reason="unready"}': '2x200' },
  FluxSidecarMissing: {
    'flux_metrics_webhook_missing_sidecars{reason="NotEnabled"}': '2x200',
  },
  FluxSizeAboveMaximum: { [`flux_desired_nodes{${ONE}}`]: '9x200' },
  FluxNodesUnavailable: { [`flux_gateway_unavailable_nodes{${ONE}}`]: '2x200' },
  FluxNodesStranded: { [`flux_stranded_nodes{${ONE}}`]: '2x200' },
  FluxShrinkBlocked: { [`flux_own_drained_nodes{${ONE}}`]: '2x200' },
  FluxJobsInfeasible: { [`flux_infeasible_jobs{${ONE}}`]: '2x200' },
  FluxJobsRefused: { [`flux_refused_jobs{${ONE}}`]: '2x200' },
  FluxJobsUnhelped: { [`flux_unhelped_jobs{${ONE}}`]: '2x200' },
  FluxCertificateEnds: { [`flux_certificate_end_timestamp_seconds{${ONE}}`]: '7200x200' },
  FluxGatewayUnpublished: {
    'flux_gateway_api_services{name="v1beta1.custom.metrics.k8s.io",state="left"}': '1x200',
  },
  FluxGatewayAdapterDown: { 'flux_gateway_adapter_up{group="custom.metrics.k8s.io"}': '0x200' },
  FluxMetricsGatewayDown: {
    'flux_gateway_api_services{name="v1beta1.custom.metrics.k8s.io",state="published"}': undefined,
  },
  FluxMetricsWebhookDown: { 'flux_metrics_webhook_leader{instance="a"}': undefined },
  FluxMetricsWebhookStuck: {
    'flux_metrics_webhook_reconcile_timestamp_seconds{instance="a"}': '1x200',
  },
  FluxMetricsCertificateEnds: {
    'flux_gateway_certificate_end_timestamp_seconds{instance="a"}': '7200x200',
  },
}

test('every alert has a case', () => {
  assert.deepEqual(RULES.map(({ alert }) => alert).sort(), Object.keys(CASES).sort())
})

const PROMTOOL = spawnSync('promtool', ['--version'])
const NO_PROMTOOL =
  PROMTOOL.error === undefined ? false : 'there is no promtool (Debian: apt install prometheus)'
const skip = process.env.REQUIRE_PROMTOOL === undefined ? NO_PROMTOOL : false

test('each alert fires in its case, and no alert fires without a problem', { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alerts-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: spec.groups }))
  const cases = [...Object.entries(CASES), [undefined, {}] as const]
  const tests = cases.map(([fires, changes]) => ({
    interval: '1m',
    input_series: Object.entries({ ...WELL, ...changes })
      .filter(([, values]) => values !== undefined)
      .map(([series, values]) => ({ series, values })),
    promql_expr_test: RULES.map(({ alert }) => ({
      expr: `count by (alertname) (ALERTS{alertname="${alert}", alertstate="firing"})`,
      eval_time: '80m',
      exp_samples: alert === fires ? [{ labels: `{alertname="${alert}"}`, value: 1 }] : [],
    })),
  }))
  const file = { rule_files: ['rules.yaml'], evaluation_interval: '1m', tests }
  writeFileSync(join(folder, 'test.yaml'), stringify(file))
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'test.yaml'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.equal(status, 0, `${stdout}${stderr}`)
})
