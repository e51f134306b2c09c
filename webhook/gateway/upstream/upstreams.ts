// The adapters of both groups together: starts and stops them, and joins what they list.
import { EXTERNAL_GROUP, EXTERNAL_VERSION, GROUP, VERSIONS } from '#api/api-group.ts'
import { mergeOpenapi, type OtherOpenapi } from '#api/documents/openapi-parts.ts'
import type { OtherResources } from '#api/documents/resources.ts'
import { Adapter } from './adapter.ts'
import type { ConnectionOptions } from './adapter-connection.ts'
import type { UpstreamTarget } from './upstream-target.ts'

export interface UpstreamsOptions extends Omit<ConnectionOptions, 'target'> {
  readonly custom: UpstreamTarget | undefined
  readonly external: UpstreamTarget | undefined
}

export class Upstreams {
  /** `undefined` where no adapter is configured. */
  readonly custom: Adapter | undefined
  readonly external: Adapter | undefined

  constructor({ custom, external, ...options }: UpstreamsOptions) {
    this.custom =
      custom && new Adapter({ ...options, target: custom, group: GROUP, versions: VERSIONS })
    this.external =
      external &&
      new Adapter({
        ...options,
        target: external,
        group: EXTERNAL_GROUP,
        versions: [EXTERNAL_VERSION],
      })
  }

  /** What is wrong with each, by its group; `undefined` if nothing is. */
  get problems(): ReadonlyMap<string, string | undefined> {
    return new Map(this.#all().map(({ group, problem }) => [group, problem]))
  }

  /** Why requests for a group should not be led to its adapter through us yet; `undefined` if they may. */
  obstacleOf(group: string): string | undefined {
    return this.#all().find((adapter) => adapter.group === group)?.obstacle
  }

  /** What all of them list. */
  get resources(): OtherResources {
    const lists = this.#all().map(({ resources }) => resources)
    return {
      get version() {
        return lists.reduce((sum, { version }) => sum + version, 0)
      },
      resourcesOf: (groupVersion) => lists.flatMap((list) => list.resourcesOf(groupVersion)),
    }
  }

  /** What all of them describe. */
  get openapi(): OtherOpenapi {
    const parts = this.#all().map(({ openapi }) => openapi)
    const v2 = () =>
      parts
        .map((one) => one.v2())
        .reduce(
          (first, second) => (first && second ? mergeOpenapi(first, second) : (first ?? second)),
          undefined,
        )
    return {
      get version() {
        return parts.reduce((sum, { version }) => sum + version, 0)
      },
      v2,
      v3: (path) => parts.map((one) => one.v3(path)).find((one) => one !== undefined),
    }
  }

  /** Resolves after the first reading of each discovery, whether it succeeded or not. */
  async start(): Promise<void> {
    await Promise.all(this.#all().map((adapter) => adapter.start()))
  }

  close(): void {
    for (const adapter of this.#all()) adapter.close()
  }

  #all(): readonly Adapter[] {
    return [this.custom, this.external].filter((adapter) => adapter !== undefined)
  }
}
