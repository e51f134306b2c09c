// The Kubernetes objects that our metrics describe, and how a request finds them. Everything is known at start.
import { notFound, type StatusError } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { MINICLUSTERS, NAMESPACES, SERVICES } from './api-group.ts'
import { type Labels, NO_LABELS } from './selectors/label.ts'
import { matchesLabels, type Selector } from './selectors/selector.ts'

/** Whom the metrics are about. */
export interface DescribedNames {
  readonly namespace: string
  readonly minicluster: string
  /** The Service in front of the lead broker, by which the metrics can be asked for as well. */
  readonly serviceName: string
}

/** core/v1 ObjectReference, the part that a MetricValue has. */
export interface ObjectReference {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly apiVersion: string
}

export interface DescribedObject {
  /** As in paths: plural, with its group. */
  readonly resource: string
  readonly reference: ObjectReference
  /** Those that we know without asking Kubernetes. */
  readonly labels: Labels
}

/** What a path and `labelSelector` ask for. `name` may be `*`. */
export interface ObjectQuery {
  readonly namespace: string
  readonly resource: string
  readonly name: string
  readonly labelSelector: Selector
}

export class DescribedObjects {
  readonly #namespace: DescribedObject
  readonly #objects: readonly DescribedObject[]
  /** Half a sentence that says what there is. */
  readonly #summary: string

  constructor({ namespace, minicluster, serviceName }: DescribedNames) {
    const ours = ['flux-metrics/minicluster', minicluster] as const
    this.#namespace = {
      resource: NAMESPACES,
      reference: { kind: 'Namespace', name: namespace, apiVersion: 'v1' },
      labels: NO_LABELS,
    }
    this.#objects = [
      {
        resource: MINICLUSTERS,
        reference: {
          kind: 'MiniCluster',
          namespace,
          name: minicluster,
          apiVersion: 'flux-framework.org/v1alpha2',
        },
        labels: new Map([['hpa-selector', minicluster], ours]),
      },
      {
        resource: SERVICES,
        reference: { kind: 'Service', namespace, name: serviceName, apiVersion: 'v1' },
        labels: new Map([ours]),
      },
    ]
    this.#summary =
      `the metrics here describe MiniCluster "${minicluster}" (${MINICLUSTERS}), ` +
      `Service "${serviceName}" (${SERVICES}) and namespace "${namespace}" they are in`
  }

  /** @throws StatusError 404 for a namespace that is not ours */
  findNamespace(namespace: string): DescribedObject {
    if (namespace === this.#namespace.reference.name) return this.#namespace
    throw this.#missing(`namespace ${quote(namespace)}`)
  }

  /**
   * The objects asked for: of one that is named, itself, whatever the selector says (as every metrics server does);
   * of `*`, those that the selector matches, perhaps none.
   *
   * @throws StatusError 404 for a resource, or for a namespace and name, that has no metrics here
   */
  find({ namespace, resource, name, labelSelector }: ObjectQuery): readonly DescribedObject[] {
    const object = this.#objects.find((candidate) => candidate.resource === resource)
    if (object === undefined) throw this.#missing(`resource ${quote(resource)}`)
    const { kind, namespace: ours, name: known } = object.reference
    if (name === '*') {
      return namespace === ours && matchesLabels(labelSelector, object.labels) ? [object] : []
    }
    if (namespace === ours && name === known) return [object]
    throw this.#missing(`${kind} ${quote(name)} in namespace ${quote(namespace)}`)
  }

  #missing(what: string): StatusError {
    return notFound(`Cannot find metrics of ${what}: ${this.#summary}`)
  }
}
