// The jobs that wait, each with its reason, and those that run. A job that is pointed at marks its ranks in the picture.
import { h } from 'preact'
import { useState } from 'preact/hooks'
import { spellEnd, spellSeconds } from '#explaining/wording.ts'
import type { ReadExplanation } from '../../input/cluster/explanation.ts'

type Mark = (ranks: string | null) => void

/** What a job waits for, in few words (sidecar/explaining/jobs/pending-cause.ts). */
const WAITS_FOR: ReadonlyMap<string, string> = new Map([
  ['dependency', 'dependency'],
  ['priority', 'priority'],
  ['release', 'held'],
  ['queue', 'queue stopped'],
  ['nodes', 'nodes'],
  ['jobs', 'other jobs'],
  ['scheduler', 'scheduler'],
  ['ranks', 'drained ranks'],
  ['nothing', 'never starts'],
  ['unknown', 'not known'],
])

interface PendingProps {
  readonly jobs: ReadExplanation['jobs']
  readonly mark: Mark
}

export function PendingJobs({ jobs, mark }: PendingProps) {
  const total = jobs ? jobs.first.length + jobs.more : undefined
  return h(
    'section',
    { class: 'card jobs pending', 'aria-labelledby': 'pending' },
    h('h2', { id: 'pending' }, 'Waiting jobs', count(total)),
    jobs === undefined && h('p', { class: 'empty' }, 'This sidecar is too old to tell.'),
    jobs === null && h('p', { class: 'empty' }, 'Not known: Flux does not show the jobs.'),
    total === 0 && h('p', { class: 'empty' }, 'No job waits.'),
    jobs &&
      jobs.first.length > 0 &&
      h(
        'ul',
        {},
        jobs.first.map((job) => pending(job, mark)),
      ),
    jobs && jobs.more > 0 && h('p', { class: 'more' }, `and ${jobs.more} more`),
  )
}

type Pending = NonNullable<ReadExplanation['jobs']>['first'][number]

function pending({ id, user, queue, waitedSeconds, waitsFor, ranks, text }: Pending, mark: Mark) {
  const facts = [
    ...(user === null ? [] : [`user ${user}`]),
    ...(queue === null ? [] : [`queue ${queue}`]),
    ...(waitedSeconds === null ? [] : [`for ${spellSeconds(waitedSeconds)}`]),
  ]
  return h(
    'li',
    { key: id, class: 'job', ...marking(ranks, mark) },
    h('span', { class: 'id' }, id),
    h('span', { class: `badge ${waitsFor}` }, WAITS_FOR.get(waitsFor) ?? waitsFor),
    h('span', { class: 'facts' }, facts.join(' · ')),
    h('p', {}, text),
  )
}

/** Nobody reads more at first. */
const FIRST = 12

interface RunningProps {
  readonly running: ReadExplanation['running']
  readonly mark: Mark
}

export function RunningJobs({ running, mark }: RunningProps) {
  const [isWhole, setWhole] = useState(false)
  const listed = running?.listed ?? []
  const shown = isWhole ? listed : listed.slice(0, FIRST)
  const rest = listed.length - shown.length
  return h(
    'section',
    { class: 'card jobs running', 'aria-labelledby': 'running' },
    h('h2', { id: 'running' }, 'Running jobs', count(running ? listed.length : undefined)),
    running === undefined && h('p', { class: 'empty' }, 'This sidecar is too old to tell.'),
    running === null && h('p', { class: 'empty' }, 'Not known: Flux does not list them.'),
    running && listed.length === 0 && h('p', { class: 'empty' }, 'No job runs.'),
    shown.length > 0 &&
      h(
        'ul',
        {},
        shown.map((job) => runningJob(job, mark)),
      ),
    rest > 0 &&
      h(
        'button',
        { type: 'button', class: 'more', onClick: () => setWhole(true) },
        `Show ${rest} more`,
      ),
    running?.areAll === false && h('p', { class: 'more' }, 'Not all running jobs are listed.'),
  )
}

type Running = NonNullable<ReadExplanation['running']>['listed'][number]

function runningJob({ id, user, ranks, endsInSeconds }: Running, mark: Mark) {
  const end = endsInSeconds === null ? 'no known end' : spellEnd(endsInSeconds)
  return h(
    'li',
    { key: id, class: 'job', ...marking(ranks, mark) },
    h('span', { class: 'id' }, id),
    h('span', { class: 'ranks' }, `${/^\d+$/.test(ranks) ? 'rank' : 'ranks'} ${ranks}`),
    h('span', { class: 'facts' }, user === null ? end : `user ${user} · ${end}`),
  )
}

function marking(ranks: string | null, mark: Mark) {
  return {
    onPointerEnter: () => mark(ranks),
    onPointerLeave: () => mark(null),
  }
}

function count(total: number | undefined) {
  return total === undefined ? null : h('span', { class: 'count' }, ` ${total}`)
}
