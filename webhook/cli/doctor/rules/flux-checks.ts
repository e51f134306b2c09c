// The answer of the sidecar through the metrics API: who it is, whether it reads Flux, and what it warns of. Pure.

import { isAboutTraps } from '#explaining/scheduler-traps.ts'
import { isAboutTolerance } from '#explaining/warnings.ts'
import { adviseOnSpec } from '../../../admission/advice/spec-advice.ts'
import { isAboutShortage } from '../../../gateway/shortage/words.ts'
import { type Check, certain, type Verdict, verdict } from '../check.ts'
import type { Facts } from '../facts/facts.ts'
import { knownOf } from '../facts/reading.ts'
import { type Code, type Finding, finding, splitCure } from '../finding.ts'
import { spellMiniCluster } from './minicluster-checks.ts'

export const FLUX_CHECKS: readonly Check[] = [
  {
    name: 'metrics',
    scope: 'minicluster',
    needs: [
      'metrics-api',
      'metrics-service',
      'metrics-pods',
      'metrics-ca',
      'metrics-answer',
      'metrics-reach',
      'annotations',
      'lead-pod',
      'injection',
      'sidecar',
    ],
    examine: metricsVerdict,
  },
  { name: 'flux', scope: 'minicluster', needs: ['metrics'], examine: fluxVerdict },
]

interface Kind {
  readonly code: Code
  /** In the words of the gateway (docs/reference/ERRORS.md), or of the sidecar where no gateway is between. */
  readonly words: RegExp
  readonly fix: string
}

/** The first that fits. The API server passes nothing but words on through kubectl. */
const KINDS: readonly Kind[] = [
  {
    code: 'sidecar-identity',
    words:
      /is not its sidecar at |its certificate (?:has expired|is not valid)|does not know the gateway/,
    fix:
      'see the log of the sidecar (kubectl logs POD -c flux-metrics) and of the webhook, which issues its certificate; a ' +
      'certificate in flux-metrics/tls-secret is for overlays/direct only',
  },
  {
    code: 'flux-unread',
    words: /Cannot read the state of Flux/,
    fix: 'the text says what Flux answered: docs/reference/ERRORS.md; see the log of the broker',
  },
  {
    code: 'sidecar-unreachable',
    words: /does not answer at |did not answer within |error trying to reach service/,
    fix: 'let the pods of the gateway reach the port of the sidecar (8443): manifests/examples/network-policy.yaml; see kubectl logs POD -c flux-metrics',
  },
]

const OTHERWISE = {
  code: 'metrics-unanswered',
  fix: 'docs/reference/ERRORS.md has what each text asks for',
} as const

function metricsVerdict({ metrics: { flux, metric }, minicluster }: Facts): Verdict {
  const fine = 'the sidecar answers through the metrics API'
  if (flux.kind === 'read' || metric.kind === 'read') return certain(fine)
  if (metric.kind === 'unread' && metric.isForbidden) return verdict(fine, [], [flux, metric])
  const message = metric.why ?? 'there is no such metric'
  const { code, fix } = KINDS.find(({ words }) => words.test(message)) ?? OTHERWISE
  return verdict(fine, [finding(code, { subject: spellMiniCluster(minicluster), message, fix })])
}

/** What a scheduler does that defeats autoscaling, as sidecar and spec say it. */
const TRAPS = [/refuses (?:a job|jobs)/, /fill the lowest/] as const

/** Whether the spec says so too. The scheduler that runs may have other settings. */
function isTold(warning: string, told: readonly string[]): boolean {
  return TRAPS.some((trap) => trap.test(warning) && told.some((sentence) => trap.test(sentence)))
}

function fluxVerdict({ metrics: { flux }, minicluster }: Facts): Verdict {
  const fine = 'Flux is read, and its sidecar warns of nothing'
  if (flux.kind !== 'read') return verdict(fine, [], [flux])
  const { warnings, unknowns } = flux.value
  const subject = spellMiniCluster(minicluster)
  const { namespace, name } = minicluster
  const otherwise = `flux-metrics explain -n ${namespace} ${name} --jobs has the details`
  // The pods, the tolerance of the HPA and the scheduler in the spec have checks of their own, which know more.
  const spec = knownOf(minicluster.found)?.minicluster
  const told = spec === undefined ? [] : adviseOnSpec(spec).scheduler
  const hasPods = knownOf(minicluster.shortage) !== undefined
  const said = warnings.filter(
    (warning) =>
      !(hasPods && isAboutShortage(warning)) &&
      !isAboutTolerance(warning) &&
      !(isAboutTraps(warning) && isTold(warning, told)),
  )
  const of = (code: Code, sentences: readonly string[]): readonly Finding[] =>
    sentences.map((sentence) => finding(code, { subject, ...splitCure(sentence, otherwise) }))
  return verdict(fine, [...of('flux-warning', said), ...of('flux-unknown', unknowns)])
}
