// The page's data from the metrics API of a cluster, through kubectl with the user's own kubeconfig: RBAC decides what is shown.
import type { Io } from '../command.ts'
import type { Answer } from '../input/answer.ts'
import { describeAutoscalers } from '../input/autoscaler-state.ts'
import { getRaw, type KubectlFlags } from '../input/kubectl.ts'
import { askForExplanation, withSignal } from '../input/minicluster-target.ts'
import type {
  DashboardData,
  HpaState,
  ListState,
  MiniClusterState,
  Start,
  Subject,
} from './data.ts'
import { type Ask, askForState, BUSY, SHARING, timeoutOr } from './explained-state.ts'
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

const API = '/apis/custom.metrics.k8s.io/v1beta2'
const ALL = 'miniclusters.flux-framework.org/*/explain'

const NOT_NAMED = { kind: 'unknown', reason: 'no MiniCluster is named' } as const

export class ClusterData implements DashboardData {
  readonly start: Start
  readonly #options: ClusterDataOptions
  readonly #states = new SharedAnswers<MiniClusterState>(SHARING)
  readonly #lists = new SharedAnswers<ListState>({ ...SHARING, lifeMs: 2_000 })
  readonly #hpas = new SharedAnswers<HpaState>(SHARING)
  /** They change every 15 s. */
  readonly #autoscalers = new SharedAnswers<readonly string[]>({ ...SHARING, lifeMs: 5_000 })

  constructor(options: ClusterDataOptions) {
    const { io, name, namespace } = options
    const subject = name === undefined ? null : { namespace, name }
    this.start = { version: io.version, subject, title: null, hasList: true }
    this.#options = options
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
    const ask: Ask = (question, timely) => {
      const target = { kind: 'cluster', ...subject, kubectl } as const
      return askForExplanation(withSignal(target, timely), question, io)
    }
    const [state, hpas] = await Promise.all([
      askForState(ask, signal),
      this.#autoscalers.of(keyOf(subject), () =>
        describeAutoscalers(subject, { ...kubectl, signal: timeoutOr(signal) }, io),
      ),
    ])
    return state.kind === 'known' ? { ...state, hpas: hpas ?? null } : state
  }

  /** Of all namespaces if the user may read them; else of one. */
  async #askList(): Promise<ListState> {
    const { io, kubectl, namespace, signal } = this.#options
    const flags = { ...kubectl, signal: timeoutOr(signal) }
    const everywhere = listIn(await getRaw(`${API}/${ALL}`, flags, io.env), null)
    if (everywhere.kind === 'known') return everywhere
    const note = `Only namespace ${namespace} is listed. ${everywhere.reason}`
    const one = await getRaw(`${API}/namespaces/${namespace}/${ALL}`, flags, io.env)
    const there = listIn(one, note)
    return there.kind === 'known' ? there : everywhere
  }

  async #askHpa(subject: Subject, metric: string): Promise<HpaState> {
    const { io, kubectl, signal } = this.#options
    const flags = { ...kubectl, signal: timeoutOr(signal) }
    const found = await readMiniCluster(subject, flags, io.env)
    return typeof found === 'string' ? { kind: 'unknown', reason: found } : hpaFor(metric, found)
  }
}

function keyOf({ namespace, name }: Subject): string {
  return `${namespace}/${name}`
}

function listIn(answer: Answer, note: string | null): ListState {
  if (answer.kind === 'failure') return { kind: 'unknown', reason: answer.reason }
  const overview = readOverview(answer.text)
  if (overview !== undefined) return { kind: 'known', overview, note }
  return { kind: 'unknown', reason: 'the metrics API did not answer a list: name a MiniCluster' }
}
