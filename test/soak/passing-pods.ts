// An API server that keeps nothing of what has gone: it lists the pods that are there, and tells a watch of their changes.
import { once } from 'node:events'
import type { ApiServer, ClusterObject } from '../../webhook/kubernetes/cluster.ts'
import type { Watched } from '../../webhook/kubernetes/connection/watch.ts'

export class PassingPods implements Pick<ApiServer, 'read' | 'list' | 'watch'> {
  readonly #pods = new Map<string, ClusterObject>()
  #changes: Watched[] = []
  #wake: (() => void) | undefined
  #version = 1

  change(type: 'put' | 'removed', object: ClusterObject): void {
    const key = `${object.metadata?.namespace}/${object.metadata?.name}`
    if (type === 'put') this.#pods.set(key, object)
    else this.#pods.delete(key)
    this.#version += 1
    this.#changes.push({ type, object, version: String(this.#version) })
    this.#wake?.()
  }

  async read() {
    return undefined
  }

  async list() {
    return {
      items: [...this.#pods.values()],
      continue: undefined,
      resourceVersion: String(this.#version),
    }
  }

  async *watch(
    _collection: unknown,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<Watched> {
    while (!signal.aborted) {
      const changes = this.#changes
      this.#changes = []
      yield* changes
      if (this.#changes.length > 0) continue
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      const ended = new AbortController()
      await Promise.race([woken, once(signal, 'abort', { signal: ended.signal })])
      ended.abort()
    }
  }
}
