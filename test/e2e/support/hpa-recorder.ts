// Records all states of the objects of a collection, in order. A watch that ends is continued where it ended.
import { setTimeout as pause } from 'node:timers/promises'
import { type KubeConfig, type KubernetesObject, Watch } from '@kubernetes/client-node'

/** A state, and when we received it, in milliseconds. */
export interface Seen<T> {
  readonly at: number
  readonly object: T
}

export interface Recording<T> extends AsyncDisposable {
  /** The names of the objects that were seen. */
  names(): readonly string[]
  /** The states of an object, oldest first. */
  statesOf(name: string): readonly Seen<T>[]
}

export interface RecordOptions<T> {
  readonly path: string
  /** The resourceVersion of a list. */
  readonly from: string
  readonly isOne: (object: unknown) => object is T
}

const RETRY_MS = 200

/** Records a collection until disposed. */
export function record<T extends KubernetesObject>(
  kubeConfig: KubeConfig,
  { path, from, isOne }: RecordOptions<T>,
): Recording<T> {
  const states = new Map<string, Seen<T>[]>()
  let resourceVersion = from
  let gap: unknown
  let watching: Promise<AbortController> | undefined
  let isStopped = false
  const see = (_phase: string, object: unknown) => {
    if (!isOne(object)) {
      gap ??= object
      return
    }
    const { name = '', resourceVersion: version = resourceVersion } = object.metadata ?? {}
    resourceVersion = version
    states.set(name, [...(states.get(name) ?? []), { at: Date.now(), object }])
  }
  // The watch ends after half a minute without changes.
  const watch = () => {
    watching = new Watch(kubeConfig).watch(path, { resourceVersion }, see, () => {
      if (!isStopped) void pause(RETRY_MS).then(watch)
    })
  }
  watch()
  return {
    names: () => [...states.keys()],
    statesOf: (name) => {
      if (gap !== undefined) throw new Error(`Cannot record ${path}: ${JSON.stringify(gap)}`)
      return states.get(name) ?? []
    },
    async [Symbol.asyncDispose]() {
      isStopped = true
      const controller = await watching
      controller?.abort()
    },
  }
}
