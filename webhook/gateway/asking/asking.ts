// Asks the sidecars of MiniClusters: chooses the pod, has it prove who it is, and passes on what it answers. Who may ask, and which
// sidecars a request is for, is up to the callers.
import type { SecureContext } from 'node:tls'
import { TokenBucket } from '#serving/limits/token-bucket.ts'
import type { Logger } from '#serving/log.ts'
import { notFound, unavailable } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { ConnectionLimit } from '../connections/connection-limit.ts'
import { type ClientCredentials, contextOf } from '../connections/connection-pool.ts'
import type { RawAnswer } from '../connections/exchange.ts'
import { PeerClients } from '../connections/peer-clients.ts'
import { PeerFailure, tooSlow } from '../connections/peer-failure.ts'
import type { MiniClusterName, Peer, Peers } from '../peers/peer.ts'
import { AnswerBudget } from './answer-budget.ts'
import { AskError, failedAsk, titleOf } from './ask-error.ts'
import { Dismissals } from './dismissals.ts'
import { contradiction, longestAnswer } from './expected-answer.ts'
import { FairTurns, type TurnLimits } from './fair-turns.ts'
import type { AskingObserver, AskingState, PeerState } from './observer.ts'
import { headersOf, keyOf, type Question } from './question.ts'
import { type Flight, SharedRequests } from './shared-requests.ts'
import type { SidecarAnswer, Sidecars } from './sidecar-answer.ts'
import { judge } from './verdict.ts'

/** For answers that are about something else. */
const LOG_RATE = { burst: 20, perSecond: 0.2 }

interface AskingOptions {
  readonly peers: Peers
  /** `undefined` as long as the gateway has no certificate. */
  readonly credentials: ClientCredentials | undefined
  /** Of the gateway. */
  readonly version: string
  readonly observer: AskingObserver
  readonly log: Logger
  readonly limits?: TurnLimits
  /** The memory of answers. */
  readonly budget?: AnswerBudget
  readonly connections?: ConnectionLimit
  /** Milliseconds of the clock of the deadlines. Default: `performance.now()`. */
  readonly clock?: () => number
  /** Uniform in [0, 1), for pauses. */
  readonly random?: () => number
}

/** What a request is waiting for. */
interface Progress {
  peer: Peer | undefined
  askedAt: number
}

export class Asking implements Sidecars {
  readonly #options: AskingOptions
  readonly #clock: () => number
  readonly #shared: SharedRequests<SidecarAnswer>
  readonly #turns: FairTurns
  readonly #budget: AnswerBudget
  readonly #clients: PeerClients
  readonly #dismissals: Dismissals
  readonly #lines: TokenBucket
  #credentials: ClientCredentials | undefined
  #context: SecureContext | undefined

  constructor(options: AskingOptions) {
    const { credentials, log, limits, random, clock = () => performance.now() } = options
    this.#budget = options.budget ?? new AnswerBudget()
    this.#options = options
    this.#clock = clock
    this.#shared = new SharedRequests(clock)
    this.#turns = new FairTurns(limits)
    this.#clients = new PeerClients({ clock, random }, options.connections ?? new ConnectionLimit())
    this.#dismissals = new Dismissals({ clock, log })
    this.#lines = new TokenBucket(LOG_RATE, clock())
    this.#credentials = credentials
    this.#context = credentials && contextOf(credentials)
  }

  get state(): AskingState {
    const clients = this.#clients.all
    return {
      running: this.#turns.running,
      waiting: this.#turns.waiting,
      openCircuits: clients.filter(({ circuit }) => circuit.isOpen).length,
      idleConnections: clients.reduce((sum, { idleConnections }) => sum + idleConnections, 0),
    }
  }

  /** Of a MiniCluster that has a pod. */
  peerState(name: MiniClusterName): PeerState {
    const found = this.#options.peers.find(name)
    if (found.kind !== 'found') return 'unready'
    const peer = this.#dismissals.choose(found.peers)
    if (peer === undefined) return 'unproved'
    return this.#clients.find(peer)?.circuit.isOpen === true ? 'unreachable' : 'askable'
  }

  /**
   * Uses other credentials from the next connection on; the older connections end with their answers.
   *
   * @throws Error if OpenSSL refuses them: then the older ones stay in use
   */
  update(credentials: ClientCredentials): void {
    const { cert, key, ca } = credentials
    const old = this.#credentials
    if (old?.cert === cert && old.key === key && old.ca === ca) return
    const context = contextOf(credentials)
    this.#context = context
    this.#credentials = credentials
    this.#clients.renew(context)
    this.#dismissals.forget()
  }

  /** Closes all connections: the busy ones after their answers. */
  close(): void {
    this.#clients.retire()
  }

  async ask(question: Question): Promise<SidecarAnswer> {
    const key = keyOf(question)
    const shared = this.#shared.isUnderWay(key)
    const { observer } = this.#options
    try {
      const answer = await this.#shared.join(key, question.deadline, (signal) =>
        this.#start(question, signal),
      )
      observer.asked('answered', { shared })
      return answer
    } catch (error) {
      observer.asked(error instanceof AskError ? error.outcome : 'invalid', { shared })
      throw error
    }
  }

  #start(question: Question, signal: AbortSignal): Flight<SidecarAnswer> {
    const progress: Progress = { peer: undefined, askedAt: this.#clock() }
    return {
      answer: this.#answer(question, signal, progress),
      late: () => this.#late(question, progress),
    }
  }

  async #answer(
    question: Question,
    signal: AbortSignal,
    progress: Progress,
  ): Promise<SidecarAnswer> {
    // Nobody waits for a turn that leads nowhere.
    this.#choose(question)
    const end = await this.#turns.take(question, signal)
    const share = this.#budget.open(question.namespace, titleOf(question))
    try {
      // The pods may have changed meanwhile. Each that proves to be no sidecar is dismissed.
      for (;;) {
        signal.throwIfAborted()
        const { peer, client } = this.#choose(question)
        progress.peer = peer
        progress.askedAt = this.#clock()
        const { path } = question
        const headers = headersOf(question, this.#options.version)
        try {
          const maxBytes = longestAnswer(question, path)
          const answer = await client.ask({ path, headers, maxBytes, share }, signal)
          return this.#judge(question, peer, answer)
        } catch (error) {
          if (!(error instanceof PeerFailure)) throw error
          const { kind, message } = error
          const isUncertified = kind === 'uncertified'
          if (kind !== 'identity' && !isUncertified) throw failedAsk(question, peer, error)
          this.#dismissals.add(peer, message, { isUncertified })
        }
      }
    } finally {
      share.close()
      end()
    }
  }

  /**
   * The newest pod that was not dismissed. An older one never answers for one that is merely unreachable.
   *
   * @throws AskError
   */
  #choose(question: Question) {
    const title = titleOf(question)
    const found = this.#options.peers.find(question)
    if (found.kind === 'absent') {
      const { missing } = this.#options.peers
      throw missing === undefined
        ? new AskError('absent', notFound(`${title}: no pod has its sidecar`))
        : new AskError('absent', unavailable(`${title}: its sidecar is not known yet: ${missing}`))
    }
    if (found.kind === 'unready') {
      throw new AskError('absent', unavailable(`${title}: its pod ${found.pod} ${found.why}`))
    }
    const context = this.#context
    if (context === undefined) {
      const why = 'the gateway has no certificate yet, see its log'
      throw new AskError('absent', unavailable(`${title}: its sidecar cannot be asked: ${why}`))
    }
    const peer = this.#dismissals.choose(found.peers)
    if (peer === undefined) {
      const first = found.peers.find((one) => this.#dismissals.whyNot(one) !== undefined)
      const why = first && `its pod ${first.pod} ${this.#dismissals.whyNot(first)}`
      throw new AskError('identity', unavailable(`${title}: ${why ?? 'no pod has its sidecar'}`))
    }
    const client = this.#clients.of(peer, context)
    const { refusal } = client.circuit
    if (refusal === undefined) return { peer, client }
    throw new AskError('circuit', unavailable(`${title}: its pod ${peer.pod} ${refusal}`))
  }

  #judge(question: Question, peer: Peer, raw: RawAnswer): SidecarAnswer {
    const title = titleOf(question)
    const answer = judge(title, raw, { sidecar: peer.version, gateway: this.#options.version })
    const what = contradiction(question, question.path, answer.body)
    if (what === undefined) return answer
    const { namespace, minicluster, path } = question
    const about = { namespace, minicluster, pod: peer.pod, path: quote(path), what }
    if (this.#lines.take(this.#clock()))
      this.#options.log.error(about, 'a sidecar answered something else than was asked')
    const message = `${title}: its sidecar answered something else than was asked: ${what}`
    throw new AskError('invalid', unavailable(message))
  }

  #late(question: Question, { peer, askedAt }: Progress): AskError {
    const title = titleOf(question)
    if (peer !== undefined) {
      const why = tooSlow(peer, this.#clock() - askedAt)
      return new AskError('late', unavailable(`${title}: its pod ${peer.pod} ${why}`))
    }
    const { running, waiting } = this.#turns
    const load = `requests to sidecars under way ${running}, waiting ${waiting}`
    return new AskError('late', unavailable(`${title}: its turn did not come in time: ${load}`))
  }
}
