// The Kubernetes objects that the metrics describe, and the look-up of them for a request. All are known at the start.
import { notFound, type StatusError } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { MINICLUSTERS, NAMESPACES, SERVICES } from './api-group.ts'
import { type Labels, NO_LABELS } from './selectors/label.ts'
import { matchesLabels, type Selector } from './selectors/selector.ts'

/** The names of the objects that the metrics describe. */
export interface DescribedNames {
  readonly namespace: string
  readonly minicluster: string
  /** The Service in front of the lead broker; its name can be used in metric paths, too. */
  readonly serviceName: string
}

/** The part of a core/v1 ObjectReference that is in a MetricValue. */
export interface ObjectReference {
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly apiVersion: string
}

export interface DescribedObject {
  /** The resource as it is in paths: plural, with its group. */
  readonly resource: string
  readonly reference: ObjectReference
  /** The labels that are known without a request to Kubernetes. */
  readonly labels: Labels
}

/** The label that the webhook sets on injected pods (webhook/contract.ts). */
const MINICLUSTER_LABEL = 'flux-metrics/minicluster'

export function labelsOfMiniCluster(name: string): Labels {
  return new Map([
    ['hpa-selector', name],
    [MINICLUSTER_LABEL, name],
  ])
}

/** Those of the Service in front of a MiniCluster. */
export function labelsOfService(minicluster: string): Labels {
  return new Map([[MINICLUSTER_LABEL, minicluster]])
}

/** The object that a path and `labelSelector` name. `name` may be `*`. */
export interface ObjectQuery {
  readonly namespace: string
  readonly resource: string
  readonly name: string
  readonly labelSelector: Selector
}

export class DescribedObjects {
  readonly #namespace: DescribedObject
  readonly #objects: readonly DescribedObject[]
  /** The objects that are served, for error messages. */
  readonly #summary: string

  constructor({ namespace, minicluster, serviceName }: DescribedNames) {
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
        labels: labelsOfMiniCluster(minicluster),
      },
      {
        resource: SERVICES,
        reference: { kind: 'Service', namespace, name: serviceName, apiVersion: 'v1' },
        labels: labelsOfService(minicluster),
      },
    ]
    this.#summary =
      `the metrics here describe MiniCluster "${minicluster}" (${MINICLUSTERS}), ` +
      `Service "${serviceName}" (${SERVICES}) and their namespace "${namespace}"`
  }

  /** @throws StatusError 404 for another namespace */
  findNamespace(namespace: string): DescribedObject {
    if (namespace === this.#namespace.reference.name) return this.#namespace
    throw this.#missing(`namespace ${quote(namespace)}`)
  }

  /**
   * Finds objects: by a name the object itself, without regard to the selector (as every metrics server does); by `*`
   * the objects that the selector matches, perhaps none.
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
