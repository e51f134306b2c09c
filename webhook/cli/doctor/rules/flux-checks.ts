// The answer of the sidecar through the metrics API: who it is, whether it reads Flux, and what it warns of. Pure.

import type { NoticeCode } from '#explaining/notice.ts'
import { adviseOnSpec } from '../../../admission/advice/spec-advice.ts'
import type { ReadNotice } from '../../input/cluster/explanation.ts'
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

/** Of the sentences about pods that are not there. */
const POD_CODES: readonly NoticeCode[] = [
  'pods-unscheduled',
  'pods-refused',
  'pods-missing',
  'pods-not-starting',
  'pods-others',
]

/** Codes of warnings that another check tells, because it knows more: of pods, of HPAs, and of the scheduler in the spec. */
function toldElsewhere({ minicluster, autoscaling }: Facts): ReadonlySet<string> {
  const spec = knownOf(minicluster.found)?.minicluster
  const hasPods = knownOf(minicluster.shortage) !== undefined
  const hasHpas = knownOf(autoscaling.hpas) !== undefined
  const codes: readonly NoticeCode[] = [
    ...(hasPods ? POD_CODES : []),
    ...(hasHpas ? (['hpa-tolerance'] as const) : []),
    // The scheduler that runs may have settings that the spec does not show.
    ...(spec === undefined ? [] : adviseOnSpec(spec).traps),
  ]
  return new Set(codes)
}

function fluxVerdict(facts: Facts): Verdict {
  const { flux } = facts.metrics
  const fine = 'Flux is read, and its sidecar warns of nothing'
  if (flux.kind !== 'read') return verdict(fine, [], [flux])
  const { warnings, unknowns } = flux.value
  const elsewhere = toldElsewhere(facts)
  const said = warnings.filter(({ code }) => code === null || !elsewhere.has(code))
  const subject = spellMiniCluster(facts.minicluster)
  const { namespace, name } = facts.minicluster
  const otherwise = `flux-metrics explain -n ${namespace} ${name} --jobs has the details`
  const of = (code: Code, notices: readonly ReadNotice[]): readonly Finding[] =>
    notices.map(({ text, code: reason }) =>
      finding(code, {
        subject,
        ...splitCure(text, otherwise),
        ...(reason !== null && { reason }),
      }),
    )
  return verdict(fine, [
    ...of('flux-warning', said),
    ...of('flux-unknown', unknowns),
    ...(said.some(({ code }) => code === null) ? [withoutCodes(subject)] : []),
  ])
}

/** What a sentence is about is not guessed from its words: rather twice than not at all. */
function withoutCodes(subject: string): Finding {
  return finding('older-release', {
    subject,
    message:
      'its sidecar, or the gateway, is of an older release and gives its warnings no codes: one of them may be about what another finding tells',
    fix: 'install the newest release (docs/how-to/UPGRADE.md); the next index-0 pod gets its sidecar',
  })
}
