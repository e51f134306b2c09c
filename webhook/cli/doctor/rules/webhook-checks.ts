// The hops from a new pod to its sidecar: the webhook's configuration, whom it selects, its Service, pods and CA bundle. Pure.
import { fromLabelSelector, type LabelSelector, matchesLabels } from '#api/selectors/selector.ts'
import { CERTIFICATES_PORT } from '../../../contract.ts'
import { COMPLETION_INDEX } from '../../../objects/pod.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts, InstallationFacts } from '../facts/facts.ts'
import { knownOf } from '../facts/reading.ts'
import { WEBHOOK } from '../facts/webhook-facts.ts'
import { finding } from '../finding.ts'
import { bundleFindings } from './bundle-rule.ts'
import { fineBundle } from './certificates.ts'
import { INSTALL } from './metrics-api-checks.ts'
import { serviceChecks } from './service-rules.ts'

const SUBJECT = `MutatingWebhookConfiguration ${WEBHOOK}`

const HOP = {
  codes: {
    absent: 'webhook-target-absent',
    port: 'webhook-target-port',
    withoutPods: 'webhook-without-pods',
  },
  consequence: 'new pods get no sidecar, and certificates of running sidecars expire within a day',
  install: INSTALL,
} as const

export const WEBHOOK_CHECKS: readonly Check[] = [
  {
    name: 'webhook',
    scope: 'installation',
    needs: ['api-server'],
    examine: ({ webhook: { pods } }) => {
      const fine = `${SUBJECT} is there`
      if (pods.kind !== 'absent') return verdict(fine, [], [pods])
      const message = 'it is not there, or is not about pods: new pods get no sidecar'
      const fix = `install it: ${INSTALL}`
      return verdict(fine, [finding('webhook-absent', { subject: SUBJECT, message, fix })])
    },
  },
  ...serviceChecks({
    name: 'webhook',
    needs: 'webhook',
    of: ({ webhook: { service } }) => service,
    hop: HOP,
    also: [CERTIFICATES_PORT],
  }),
  {
    name: 'webhook-ca',
    scope: 'installation',
    needs: ['api-server', 'webhook'],
    examine: bundleVerdict,
  },
  {
    name: 'webhook-policy',
    scope: 'installation',
    needs: ['api-server', 'webhook'],
    examine: ({ webhook: { pods } }) => {
      const fine = 'pods start without sidecar while the webhook does not answer'
      if (knownOf(pods)?.failurePolicy !== 'Fail') return verdict(fine, [], [pods])
      const message =
        'failurePolicy is Fail: while the webhook does not answer, no lead broker can start'
      const fix = 'set failurePolicy to Ignore, as in manifests/base/mutating-webhook.yaml'
      return verdict(fine, [finding('webhook-fails-closed', { subject: SUBJECT, message, fix })])
    },
  },
  {
    name: 'webhook-selectors',
    scope: 'minicluster',
    needs: ['api-server', 'webhook', 'minicluster'],
    examine: selectorVerdict,
  },
]

const BUNDLE = {
  codes: { empty: 'webhook-ca-empty', expired: 'webhook-ca-expired', other: 'webhook-ca-other' },
  consequence: "API servers refuse the webhook's certificate, and new pods get no sidecar",
} as const

function bundleVerdict(facts: InstallationFacts): Verdict {
  const { pods, projectCa } = facts.webhook
  if (pods.kind !== 'read') return verdict(fineBundle('the webhook', false), [], [pods])
  const { isKeptByUs } = pods.value
  const fine = fineBundle('the webhook', isKeptByUs && knownOf(projectCa) !== undefined)
  const object = `mutatingwebhookconfiguration ${WEBHOOK}`
  const bundle = { ...pods.value, subject: SUBJECT, object }
  const compared = isKeptByUs ? [projectCa] : []
  return verdict(fine, bundleFindings(bundle, BUNDLE, facts), compared)
}

/** Labels of a pod that the operator and the Job controller make for rank 0. */
const LEAD_LABELS = { app: 'flux-operator', [COMPLETION_INDEX]: '0' }

function selectorVerdict({ webhook: { pods }, minicluster }: Facts): Verdict {
  const fine = "the webhook's selectors include the lead broker's pod"
  const { namespace, namespaceLabels, lead } = minicluster
  const readings = [pods, namespaceLabels]
  if (pods.kind !== 'read') return verdict(fine, [], readings)
  const { namespaceSelector, objectSelector } = pods.value
  const labels = knownOf(namespaceLabels)
  const podLabels = knownOf(lead)?.pod.metadata.labels ?? LEAD_LABELS
  const subject = SUBJECT
  return verdict(
    fine,
    [
      ...(labels === undefined || matches(namespaceSelector, labels)
        ? []
        : [
            finding('webhook-excludes-namespace', {
              subject,
              message: `its namespaceSelector leaves out namespace ${namespace}: pods there get no sidecar`,
              fix: `change the labels of the namespace, or the selector: kubectl get namespace ${namespace} --show-labels`,
            }),
          ]),
      ...(matches(objectSelector, podLabels)
        ? []
        : [
            finding('webhook-excludes-pod', {
              subject,
              message: `its objectSelector leaves out the lead broker's pod: it gets no sidecar`,
              fix: `restore the selector: ${INSTALL}, before Kubernetes 1.28 with components/kubernetes-1.27`,
            }),
          ]),
    ],
    readings,
  )
}

function matches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return matchesLabels(fromLabelSelector(selector), new Map(Object.entries(labels)))
}
