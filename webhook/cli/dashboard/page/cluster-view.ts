// One MiniCluster, live: what is known now, or since when it is not known and why.
import { h } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { spellGoing, spellSeconds } from '#explaining/wording.ts'
import type { ReadExplanation } from '../../input/cluster/explanation.ts'
import type { MiniClusterState, Subject } from '../data.ts'
import { addressOf, LOST, OLD, useAnswers, useNow } from './browser/asking.ts'
import { isOld, presentMoment, secondsBetween } from './browser/moment.ts'
import { clockOfIso } from './browser/time.ts'
import { Changes } from './hour/changes.ts'
import { LastHour } from './hour/last-hour.ts'
import { PendingJobs, RunningJobs } from './jobs.ts'
import { Metrics } from './metrics.ts'
import { Notices } from './notices.ts'
import { Ranks } from './ranks/ranks.ts'
import { RanksModel } from './ranks/ranks-model.ts'
import { Sizes } from './sizes.ts'
import { NOTHING_YET, type View, viewAfter } from './view.ts'

interface ClusterProps {
  readonly subject: Subject | null
  readonly title: string
}

export function ClusterView({ subject, title }: ClusterProps) {
  const [view, setView] = useState(NOTHING_YET)
  const [at, setAt] = useState(presentMoment)
  useAnswers<MiniClusterState>(addressOf('state', subject), (asked) => {
    const answer = asked.answer ?? { kind: 'unknown', reason: LOST }
    setView((before) => viewAfter(before, answer))
    setAt(asked.at)
  })
  const seconds = secondsBetween(at, useNow())
  const isGone = isOld(seconds, view.explanation?.ageSeconds)
  const shown = isGone ? { ...view, explanation: undefined, reason: view.reason ?? OLD } : view
  const { explanation, history } = shown
  const model = useMemo(() => explanation && new RanksModel(explanation), [explanation])
  const [marked, mark] = useState<string | null>(null)
  return h(
    'div',
    { class: explanation === undefined ? 'cluster unknown' : 'cluster' },
    h('div', { class: 'title' }, h('h1', {}, title), h(Freshness, { view: shown, seconds })),
    explanation === undefined
      ? h(NotKnown, { key: 'unknown', view: shown })
      : h(AtAGlance, { key: 'known', explanation, hpas: shown.hpas }),
    h(
      'div',
      { class: 'pictures' },
      explanation &&
        model &&
        h(Ranks, {
          key: 'ranks',
          model,
          desired: explanation.desired,
          going: spellGoing(explanation),
          marked,
        }),
      history && h(LastHour, { key: 'hour', history, isLive: explanation !== undefined }),
      explanation?.metrics && h(Metrics, { key: 'metrics', metrics: explanation.metrics, subject }),
    ),
    h(
      'div',
      { class: 'lists' },
      explanation && h(PendingJobs, { key: 'pending', jobs: explanation.jobs, mark }),
      explanation && h(RunningJobs, { key: 'running', running: explanation.running, mark }),
      history && h(Changes, { key: 'changes', events: history.events }),
    ),
  )
}

interface FreshnessProps {
  readonly view: View
  /** Since the answer. */
  readonly seconds: number
}

function Freshness({ view, seconds }: FreshnessProps) {
  const { explanation, readAt } = view
  if (explanation !== undefined) {
    const age = explanation.ageSeconds + seconds
    return h('p', { class: 'fresh' }, `Live · read ${spellSeconds(age)} ago`)
  }
  const since = readAt === undefined ? 'Not known yet' : `Not known since ${clockOfIso(readAt)}`
  return h('p', { class: 'fresh lost' }, view.reason === undefined ? 'Asking …' : since)
}

function NotKnown({ view: { reason, readAt } }: { readonly view: View }) {
  if (reason === undefined) return h('p', { class: 'first', role: 'status' }, 'Asking …')
  const since = readAt === undefined ? 'Not known' : `Not known since ${clockOfIso(readAt)}`
  return h(
    'section',
    { class: 'card outage', role: 'alert' },
    h('h2', {}, since),
    h('p', {}, 'because ', h('span', { class: 'reason' }, reason)),
    h('p', { class: 'hint' }, 'Old numbers are not shown. This page asks again every 2 seconds.'),
  )
}

interface GlanceProps {
  readonly explanation: ReadExplanation
  readonly hpas: readonly string[] | null
}

function AtAGlance({ explanation, hpas }: GlanceProps) {
  const { warnings, unknowns } = explanation
  return [h(Sizes, { explanation, hpas }), h(Notices, { warnings, unknowns })]
}
