// What refused jobs asked for, over one connection: with it they are told apart (scaling/refusals.ts). Bounded, and asked for
// once for each job.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getRequest } from '#flux/calls/job-calls.ts'
import type { FailedJob, JobId } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import type { EndedJob } from '#reading/facts.ts'
import { isUnknown, unknown } from '#reading/unknown.ts'
import { AcceptedRanks, type RankAttributes } from './constrained-ranks.ts'
import { isRefused } from './failed-jobs.ts'

/** At most this many jobspecs are read for one reading, one after the other: a large one takes some milliseconds. */
const MAX_JOBSPECS = 10

/** Parts of requests, and ranges of the ranks that they accept, in all jobs together: some 5 MB. */
const MAX_WEIGHT = 50_000

const NOT_YET = unknown('the jobspecs of some refused jobs are still being read')

const TOO_LARGE = unknown('the requests of the refused jobs are too large to be kept')

interface Context {
  readonly attributes: RankAttributes
  /** Nodes that are up now. */
  readonly up: number
}

type Request = EndedJob['request']

/** What is remembered of a refused job. */
interface Memory {
  readonly request: Request
  readonly upThen: number
}

export class RefusedRequestReader {
  readonly #client: Client
  readonly #accepted = new AcceptedRanks()
  #memories: ReadonlyMap<JobId, Memory> = new Map()
  /** Whether the broker refused a jobspec: then it would refuse every one. */
  #isGuest = false

  constructor(client: Client) {
    this.#client = client
  }

  /** Adds to refused jobs what they asked for. */
  async complete(
    jobs: readonly FailedJob[],
    context: Context,
    limits: Limits,
  ): Promise<readonly EndedJob[]> {
    const refused = jobs.filter(isRefused)
    const read = await this.#readSome(refused, context, limits)
    const memories = new Map<JobId, Memory>()
    let weight = 0
    for (const { id } of refused) {
      const { upThen = context.up, request = NOT_YET } = this.#memories.get(id) ?? {}
      const found = this.#isGuest ? undefined : read.has(id) ? read.get(id) : request
      weight += weightOf(found)
      memories.set(id, { upThen, request: weight > MAX_WEIGHT ? TOO_LARGE : found })
    }
    this.#memories = memories
    return jobs.map((job) => ({ ...job, ...memories.get(job.id) }))
  }

  async #readSome(
    refused: readonly FailedJob[],
    { attributes }: Context,
    limits: Limits,
  ): Promise<ReadonlyMap<JobId, Request>> {
    const read = new Map<JobId, Request>()
    this.#accepted.restart(attributes)
    const isMissing = ({ id }: FailedJob) => {
      const memory = this.#memories.get(id)
      return memory === undefined || memory.request === NOT_YET
    }
    for (const { id } of refused.filter(isMissing).slice(0, MAX_JOBSPECS)) {
      // A guest is refused the first one, and then the others need not be asked for.
      if (!this.#isGuest) read.set(id, await this.#read(id, limits))
    }
    return read
  }

  /** `undefined` for guests, and if the job was forgotten meanwhile. */
  async #read(id: JobId, limits: Limits): Promise<Request> {
    try {
      const { ways, constraint } = await getRequest(this.#client, id, limits)
      if (constraint === undefined) return { ways, ranks: undefined }
      const ranks = this.#accepted.find(constraint)
      return isUnknown(ranks) ? ranks : { ways, ranks }
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) this.#isGuest = true
      if (isRemote(error)) return undefined
      if (error instanceof FluxError && error.code === 'FLUX_PROTOCOL')
        return unknown(error.message)
      throw error
    }
  }
}

function weightOf(request: Request): number {
  if (request === undefined || isUnknown(request)) return 0
  const parts = request.ways.reduce((sum, way) => sum + way.length, 0)
  return 1 + parts + (request.ranks?.ranges.length ?? 0)
}
