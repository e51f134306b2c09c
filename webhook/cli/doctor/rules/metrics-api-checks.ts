// The hops from an HPA's question to the server of custom metrics: APIService, Service, pods, CA bundle, answer. Pure.

import { GATEWAY, METRICS_SERVICE, MINICLUSTER_LABEL } from '../../../contract.ts'
import { reach, type Topology } from '../../../kubernetes/aggregation/reach.ts'
import { type Check, type Verdict, verdict } from '../check.ts'
import type { Facts, InstallationFacts } from '../facts/facts.ts'
import type { ApiServiceFacts, GroupFacts } from '../facts/metrics-api-facts.ts'
import { knownOf } from '../facts/reading.ts'
import { spellTarget } from '../facts/service.ts'
import { type Finding, finding } from '../finding.ts'
import { bundleFindings } from './bundle-rule.ts'
import { fineBundle } from './certificates.ts'
import { serviceChecks } from './service-rules.ts'

/** `kubectl apply -k manifests` alone names images that nodes can pull from nowhere. */
export const INSTALL = 'apply the manifests with your images (docs/install/KUSTOMIZE.md)'

const HOP = {
  codes: { absent: 'api-target-absent', port: 'api-target-port', withoutPods: 'api-without-pods' },
  consequence: 'no HPA has custom metrics, and no namespace of the cluster can be deleted',
  install: INSTALL,
} as const

export const METRICS_API_CHECKS: readonly Check[] = [
  {
    name: 'metrics-api',
    scope: 'installation',
    needs: ['api-server'],
    examine: ({ custom, webhook }) => apiServiceVerdict(custom, webhook.namespace),
  },
  ...serviceChecks({
    name: 'metrics',
    needs: 'metrics-api',
    of: ({ custom: { service } }) => service,
    hop: HOP,
  }),
  {
    name: 'metrics-ca',
    scope: 'installation',
    needs: ['api-server', 'metrics-api'],
    examine: bundleVerdict,
  },
  {
    name: 'metrics-answer',
    scope: 'installation',
    needs: ['api-server', 'metrics-api', 'metrics-service', 'metrics-pods', 'metrics-ca'],
    examine: ({ custom }) => answerVerdict(custom),
  },
  {
    name: 'metrics-reach',
    scope: 'minicluster',
    needs: ['api-server', 'metrics-api', 'metrics-service'],
    examine: reachVerdict,
  },
]

function apiServiceVerdict({ apiServices, used }: GroupFacts, namespace: string): Verdict {
  const found = apiServices.flatMap((reading) => knownOf(reading) ?? [])
  const fine = `${found.map(({ name }) => name).join(' and ')} lead to flux-metrics`
  if (used.kind === 'absent') {
    return verdict(fine, [
      finding('api-service-absent', {
        subject: 'APIService v1beta2.custom.metrics.k8s.io',
        message: 'it is not there: no HPA has custom metrics',
        fix:
          `install the gateway, which publishes it once it is ready: ${INSTALL}; where it is installed, see ` +
          `kubectl logs -n ${namespace} deployment/${GATEWAY}`,
      }),
    ])
  }
  if (used.kind === 'unread') return verdict(fine, [], [used])
  const foreign = foreignFinding(used.value)
  if (foreign !== undefined) return verdict(fine, [foreign])
  const others = found.filter(({ place }) => spellTarget(place) !== spellTarget(used.value.place))
  return verdict(
    fine,
    others.map(({ name, place }) =>
      finding('api-service-split', {
        subject: `APIService ${name}`,
        message:
          `it leads to ${spellTarget(place)}, and ${used.value.name}, which HPAs prefer, to ` +
          `${spellTarget(used.value.place)}: who asks for this version gets other metrics`,
        fix: 'lead both to one server: flux-metrics adopt puts the gateway in front of the other',
      }),
    ),
  )
}

/** @returns `undefined` if it is of this project */
function foreignFinding({ name, topology, place }: ApiServiceFacts): Finding | undefined {
  if (topology?.isForeign === false) return undefined
  return finding('api-service-foreign', {
    subject: `APIService ${name}`,
    message: `it leads to ${spellTarget(place)}, which is another adapter: no HPA can read metrics of MiniClusters`,
    fix: 'put the gateway in front of the other adapter: flux-metrics adopt -o overlay --registry REGISTRY, then kubectl apply -k overlay',
  })
}

const BUNDLE = {
  codes: { empty: 'api-ca-empty', expired: 'api-ca-expired', other: 'api-ca-other' },
  consequence: 'API servers refuse the certificate behind it, and no HPA has metrics',
} as const

function bundleVerdict(facts: InstallationFacts): Verdict {
  const { apiServices } = facts.custom
  const found = apiServices.flatMap((reading) => knownOf(reading) ?? [])
  const ours = found.filter(({ topology }) => topology?.isForeign === false)
  const findings = ours.flatMap((one): readonly Finding[] => {
    const subject = `APIService ${one.name}`
    if (!one.isUnverified) {
      const bundle = { ...one, subject, object: `apiservice ${one.name}` }
      return bundleFindings(bundle, BUNDLE, facts)
    }
    const message = 'insecureSkipTLSVerify is true: anybody on the network can answer HPAs'
    const fix = `remove insecureSkipTLSVerify and set label flux-metrics/ca-bundle=true: the webhook writes the caBundle`
    return [finding('api-unverified', { subject, message, fix })]
  })
  const { projectCa } = facts.webhook
  const areKept = ours.every(({ isKeptByUs }) => isKeptByUs)
  const fine = fineBundle('the APIServices', areKept && knownOf(projectCa) !== undefined)
  const compared = ours.some(({ isKeptByUs }) => isKeptByUs) ? [projectCa] : []
  return verdict(fine, findings, [...apiServices, ...compared])
}

function answerVerdict({ used, document }: GroupFacts): Verdict {
  const fine = 'the API server gets answers for custom metrics'
  if (used.kind !== 'read') return verdict(fine, [], [used, document])
  const { name, unavailable, place, topology } = used.value
  if (document.kind === 'read') return verdict(fine, [])
  if (document.kind === 'unread' && document.isForbidden) return verdict(fine, [], [document])
  const subject = `APIService ${name}`
  const words = document.why ?? 'the server does not know this version'
  const why = unavailable ?? words
  // Go's package of certificates.
  if (why.includes('x509:') || words.includes('x509:')) {
    const message = `API servers refuse the certificate of ${spellTarget(place)}: ${why}`
    const cure =
      topology?.service === GATEWAY
        ? 'restart the pods behind it, and see their log'
        : 'see the log of the sidecar behind it; to create its pod again ends its jobs'
    const fix = `the certificate must have the name SERVICE.NAMESPACE.svc and be of the CA in caBundle: ${cure}`
    return verdict(fine, [finding('api-certificate', { subject, message, fix })])
  }
  const message = `the API server gets no answer from ${spellTarget(place)}: ${why}`
  const fix =
    'see the log of the pods behind it, and that the control plane reaches them (firewall, NetworkPolicy, their port)'
  return verdict(fine, [finding('api-unavailable', { subject, message, fix })])
}

function reachVerdict({ custom, minicluster }: Facts): Verdict {
  const fine = 'the custom metrics API leads to this MiniCluster'
  const { used, service } = custom
  const topology = knownOf(used)?.topology
  if (topology === undefined || topology.service === GATEWAY) return verdict(fine, [], [used])
  const reached = reach(withSelector(topology, custom), minicluster)
  if (reached.kind === 'reached') return verdict(fine, [], [service.service])
  const code = reached.kind === 'shared' ? 'api-shared' : 'api-unreached'
  const fix =
    reached.kind === 'shared'
      ? `add ${MINICLUSTER_LABEL}=${minicluster.name} to the selector of the Service`
      : `install the gateway, which serves all MiniClusters: ${INSTALL}`
  const subject = `Service ${topology.namespace}/${topology.service}`
  return verdict(fine, [finding(code, { subject, message: reached.why, fix })])
}

function withSelector(topology: Topology, { service }: GroupFacts): Topology {
  if (topology.service !== METRICS_SERVICE || service.service.kind !== 'read') return topology
  const { selector } = service.service.value
  return { ...topology, minicluster: selector[MINICLUSTER_LABEL], isRead: true }
}
