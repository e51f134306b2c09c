// The page's data from the metrics API of a cluster, through kubectl with the user's own kubeconfig: RBAC decides what is shown.
import { printable } from '#serving/text.ts'
import type { Io } from '../command.ts'
import type { Answer } from '../input/cluster/answer.ts'
import {
  type AutoscalerState,
  readAutoscalers,
  withoutAnswered,
} from '../input/cluster/autoscaler-state.ts'
import type { KubectlFlags } from '../input/cluster/kubectl.ts'
import { explanationsPath, getFromMetricsApi } from '../input/cluster/metrics-api.ts'
import { askForExplanation, withPatience } from '../input/cluster/minicluster-target.ts'
import { NEXT_SECONDS, type Patience, sharedSeconds } from '../input/cluster/patience.ts'
import type {
  DashboardData,
  HpaState,
  ListState,
  MiniClusterState,
  Start,
  Subject,
} from './data.ts'
import { type Ask, askForState, BUSY, SHARING } from './explained-state.ts'
import { hpaFor } from './hpa-snippet.ts'
import { readMiniCluster } from './minicluster-reader.ts'
import { readOverview } from './overview.ts'
import { SharedAnswers } from './shared-answers.ts'

export interface ClusterDataOptions {
  readonly io: Io
  readonly kubectl: KubectlFlags
  /** Of the list, if the user may not read that of all namespaces. */
  readonly namespace: string
  /** `undefined`: the list is shown first. */
  readonly name: string | undefined
  /** Ends all questions. */
  readonly signal: AbortSignal
}

const NOT_NAMED = { kind: 'unknown', reason: 'no MiniCluster is named' } as const

export class ClusterData implements DashboardData {
  readonly start: Start
  readonly #options: ClusterDataOptions
  readonly #patience: Patience
  readonly #states = new SharedAnswers<MiniClusterState>(SHARING)
  readonly #lists = new SharedAnswers<ListState>({ ...SHARING, lifeMs: 2_000 })
  readonly #hpas = new SharedAnswers<HpaState>(SHARING)
  /** They change every 15 s. */
  readonly #autoscalers = new SharedAnswers<AutoscalerState>({ ...SHARING, lifeMs: 5_000 })

  constructor(options: ClusterDataOptions) {
    const { io, name, namespace } = options
    const subject = name === undefined ? null : { namespace, name }
    this.start = { version: io.version, subject, title: null, hasList: true }
    this.#options = options
    this.#patience = { stop: options.signal, seconds: NEXT_SECONDS }
  }

  async state(asked: Subject | null): Promise<MiniClusterState> {
    const subject = asked ?? this.start.subject
    if (subject === null) return NOT_NAMED
    return (await this.#states.of(keyOf(subject), () => this.#askState(subject))) ?? BUSY
  }

  async list(): Promise<ListState> {
    return (await this.#lists.of('', () => this.#askList())) ?? BUSY
  }

  async hpa(asked: Subject | null, metric: string): Promise<HpaState> {
    const subject = asked ?? this.start.subject
    if (subject === null) return NOT_NAMED
    const key = `${metric} ${keyOf(subject)}`
    return (await this.#hpas.of(key, () => this.#askHpa(subject, metric))) ?? BUSY
  }

  async #askState(subject: Subject): Promise<MiniClusterState> {
    const { io, kubectl, signal } = this.#options
    const ask: Ask = (question, patience) => {
      const target = { kind: 'cluster', ...subject, kubectl } as const
      return askForExplanation(withPatience(target, patience), question, io)
    }
    const [state, autoscalers] = await Promise.all([
      askForState(ask, signal),
      this.#autoscalers.of(keyOf(subject), () =>
        readAutoscalers(subject, { ...kubectl, ...this.#patience }, io),
      ),
    ])
    if (state.kind !== 'known') return state
    const explanation = withoutAnswered(state.explanation, autoscalers?.hpas)
    return { ...state, explanation, hpas: autoscalers?.lines ?? null }
  }

  /** Of all namespaces if the user may read them; else of one. */
  async #askList(): Promise<ListState> {
    const { io, kubectl, namespace, signal: stop } = this.#options
    // The page does not wait for twice the time.
    const secondsLeft = sharedSeconds(NEXT_SECONDS)
    const ask = (path: string) =>
      getFromMetricsApi(path, { ...kubectl, stop, seconds: secondsLeft() }, io.env)
    const everywhere = listIn(await ask(explanationsPath()), null)
    if (everywhere.kind === 'known') return everywhere
    const note = `Only namespace ${namespace} is listed. ${everywhere.reason}`
    const there = listIn(await ask(explanationsPath(namespace)), note)
    return there.kind === 'known' ? there : everywhere
  }

  async #askHpa(subject: Subject, metric: string): Promise<HpaState> {
    const { io, kubectl } = this.#options
    const flags = { ...kubectl, ...this.#patience }
    const found = await readMiniCluster(subject, flags, io.env)
    return typeof found === 'string'
      ? { kind: 'unknown', reason: printable(found) }
      : hpaFor(metric, found)
  }
}

function keyOf({ namespace, name }: Subject): string {
  return `${namespace}/${name}`
}

function listIn(answer: Answer, note: string | null): ListState {
  if (answer.kind === 'failure') return { kind: 'unknown', reason: printable(answer.reason) }
  const overview = readOverview(answer.text)
  if (overview !== undefined) return { kind: 'known', overview, note }
  return { kind: 'unknown', reason: 'the metrics API did not answer a list: name a MiniCluster' }
}
