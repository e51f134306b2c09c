// What Kubernetes and node autoscalers write about pods that have no node, made short enough for a sentence. Pure. The texts are
// anybody's: what is not known comes out cut, and without control characters.
import { shorten } from '#serving/text.ts'
import type { Said } from './event.ts'

/** The longest text of others. */
const MAX_TEXT = 160

/** The most causes of one message. */
const MAX_CAUSES = 3

/** Text of others on one line, cut. */
export function plain(text: string, characters = MAX_TEXT): string {
  // Cut first: a message may have a megabyte.
  const line = text.slice(0, 4 * MAX_TEXT).replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, ' ')
  return shorten(line.trim(), { characters })
}

/**
 * The causes in a message of the scheduler, the most frequent first:
 * `0/5 nodes are available: 1 Insufficient cpu, 4 node(s) had untolerated taint(s). preemption: …`
 */
export function schedulerCauses(message: string): string {
  const [, list] = /^\d+\/\d+ nodes are available: (.*?)\.?(?: preemption: .*)?$/s.exec(
    message.slice(0, 2_000),
  ) ?? ['', undefined]
  if (list === undefined) return plain(message)
  const causes = list
    .split(/, (?=\d+ )/)
    .flatMap((part) => {
      const [, count = '', cause = ''] = /^(\d+) (.+)$/s.exec(part) ?? []
      return cause === '' ? [] : [{ count: Number(count), cause: plain(cause, 80) }]
    })
    .sort((one, other) => other.count - one.count)
    .map(({ cause }) => cause.replace(/^node\(s\)/, 'nodes'))
  if (causes.length === 0) return plain(message)
  const more = causes.length - MAX_CAUSES
  return [...causes.slice(0, MAX_CAUSES), ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** What the API server said when it refused a pod: `Error creating: pods "a-6-x7k2p" is forbidden: exceeded quota: …` */
export function refusalCause(message: string): string {
  const cause = message
    .slice(0, 2_000)
    .replace(/^\(combined from similar events\): /, '')
    .replace(/^Error creating: /, '')
    .replace(/^pods "[^"]*" is forbidden: /, '')
  const [, quota, amounts] = /^exceeded quota: ([^,]*), (requested: .*)$/s.exec(cause) ?? []
  if (quota === undefined || amounts === undefined) return plain(cause)
  return `quota ${plain(quota, 63)} is exceeded (${plain(amounts, 120)})`
}

/** What autoscalers write when a node is on its way. */
const COMING: ReadonlySet<string> = new Set(['Nominated', 'TriggeredScaleUp'])

/** What they write when no node will come. */
const REFUSING: ReadonlySet<string> = new Set([
  'FailedScheduling',
  'NotTriggerScaleUp',
  'FailedScaleUp',
])

const SCHEDULER = 'default-scheduler'

/** Whether a node autoscaler wrote this Event, and not the scheduler or a kubelet. */
export function isOfAutoscaler({ reason, component }: Pick<Said, 'reason' | 'component'>): boolean {
  if (component === SCHEDULER) return false
  return COMING.has(reason) || REFUSING.has(reason)
}

/** What a node autoscaler says of a pod, with its name. */
export function autoscalerCause({
  reason,
  component,
  message,
}: Pick<Said, 'reason' | 'component' | 'message'>): string {
  const who = plain(component, 40) || 'an autoscaler'
  if (COMING.has(reason)) return `${who}: a node is on its way (${plain(message, 80)})`
  const limited = limitedNodePools(message)
  if (limited.length > 0) {
    const pools =
      limited.length === 1 ? `NodePool ${limited[0]}` : `NodePools ${limited.join(', ')}`
    return `${pools}: the limits are reached (${who})`
  }
  const words = message
    .replace(/^Failed to schedule pod, /, '')
    .replace(/^pod didn't trigger scale-up(?: \([^)]*\))?: /, '')
    // Karpenter appends what it looked for: lines of it.
    .replace(/, requirements=.*$/s, '')
  return `${who}: ${plain(words)}`
}

/**
 * `all available instance types exceed limits for nodepool (NodePool=default)`, and for a limit on the number of nodes `node limits
 * have been exhausted for nodepool (…)`; older versions write `… for nodepool: "default"`.
 */
const LIMITED =
  /(?:exceed limits|limits have been exhausted) for nodepool:? (?:\(NodePool=)?"?([a-z0-9][-a-z0-9.]{0,62})/g

/** The NodePools of Karpenter whose limits leave no room. A message has an error for each NodePool. */
function limitedNodePools(message: string): readonly string[] {
  const names = [...message.slice(0, 4_000).matchAll(LIMITED)].map(([, name = '']) => name)
  return [...new Set(names)].slice(0, MAX_CAUSES)
}
