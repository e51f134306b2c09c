// Why the jobs of a queue do not start, in words, each with what starts them. Pure.
import { canStart, type Jobs, NO_QUEUE, type QueueState, type WaitingJobs } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { quote } from '#serving/text.ts'
import { type Notice, notice } from '../notice.ts'
import { plural } from '../wording.ts'

/** Longer names of queues are cut. */
const NAME = { characters: 60 }

type Queues = Snapshot['queues']

type Stop = NonNullable<QueueState['stop']>

/** Why a job of the queue does not start, without its id; `undefined` if the queue is started. */
export function describeStop(name: string, queues: Queues): string | undefined {
  const stop = stopOf(queues.get(name))
  switch (stop?.by) {
    case undefined:
      return undefined
    case 'scheduler':
      return `${NO_SCHEDULER}: load one with flux module load`
    case 'parent':
      return `${waitsForParent(name, stop.parent)}: start that with ${start(stop.parent)}`
    case 'removal':
      return `${spell(name)} ${IS_REMOVED}: cancel the job, or configure the queue again`
    case 'queue':
      return `${spell(name)} is stopped: start it with ${start(name)}`
  }
}

/** One sentence for each reason why jobs add no demand that would start if their queue was started. */
export function describeStops(
  queues: Queues,
  waiting: WaitingJobs,
  counts: Jobs | Unknown,
): readonly Notice[] {
  const jobs = waiting.jobs.filter(canStart)
  const isCut = waiting.jobs.length < waiting.total
  let withoutScheduler = 0
  const notices: Notice[] = []
  for (const [name, state] of queues) {
    const stop = stopOf(state)
    if (stop === undefined) continue
    const listed = jobs.filter(({ queue = NO_QUEUE }) => queue === name).length
    // A list that is cut may have none of a stopped queue. Those that Flux counts include held ones.
    const count = isCut ? Math.max(listed, schedIn(name, counts)) : listed
    if (count === 0) continue
    if (stop.by === 'scheduler') withoutScheduler += count
    else notices.push(describe(name, stop, addNo(count, ' in it')))
  }
  if (withoutScheduler === 0) return notices
  const text = `${NO_SCHEDULER}: ${addNo(withoutScheduler, '')} until flux module load`
  return [notice('scheduler-absent', text), ...notices]
}

/** @param jobs `2 jobs in it add no demand` */
function describe(name: string, stop: Stop, jobs: string): Notice {
  switch (stop.by) {
    case 'parent': {
      const text = `${waitsForParent(name, stop.parent)}: ${jobs} until ${start(stop.parent)}`
      return notice('queue-parent-stopped', text)
    }
    case 'removal': {
      const text = `${spell(name)} ${IS_REMOVED}: ${jobs}; cancel them, or configure the queue again`
      return notice('queue-removed', text)
    }
    default:
      return notice('queue-stopped', `${spell(name)} is stopped: ${jobs} until ${start(name)}`)
  }
}

function schedIn(name: string, counts: Jobs | Unknown): number {
  if (counts.kind !== 'known') return 0
  return (name === NO_QUEUE ? counts.total : counts.queues.get(name))?.sched ?? 0
}

const NO_SCHEDULER = 'Flux has no scheduler that is ready'

const IS_REMOVED = 'is not configured any more'

function stopOf(state: QueueState | undefined): Stop | undefined {
  return state === undefined || state.started ? undefined : (state.stop ?? { by: 'queue' })
}

function spell(name: string): string {
  return name === NO_QUEUE ? 'the queue' : `queue ${quote(name, NAME)}`
}

function waitsForParent(name: string, parent: string): string {
  return `${spell(name)} waits for its parent ${quote(parent, NAME)}, which is stopped`
}

/** Flux refuses to start no queue by name where there are named ones. */
function start(name: string): string {
  return name === NO_QUEUE ? 'flux queue start' : `flux queue start ${quote(name, NAME)}`
}

/** `2 jobs in it add no demand`. */
function addNo(count: number, where: string): string {
  return `${plural(count, 'job')}${where} ${count === 1 ? 'adds' : 'add'} no demand`
}
