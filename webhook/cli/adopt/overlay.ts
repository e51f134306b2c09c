// The files of the overlay: the kustomization that installs the gateway in front of the adopted servers, and the way back. Pure.
import { GATEWAY, TAKE_OVER_ANNOTATION } from '../../contract.ts'
import type { Document } from '../input/files/documents.ts'
import { formatCommented } from '../output/commented-yaml.ts'
import type { Adoption } from './adoption.ts'
import type { ApiService } from './api-services.ts'

export const WAY_BACK = 'way-back.yaml'
const PATCH = 'gateway.yaml'

/** The namespace that the manifests name. */
const NAMESPACE = 'flux-metrics'
/** The images of the manifests. */
const IMAGES = ['flux-metrics-webhook', 'flux-metrics-sidecar']

const CA_CONFIG_MAP = 'flux-metrics-upstream-ca'
const CA_FOLDER = '/var/run/flux-metrics/upstream'

/** Fields that the API server sets. */
const OF_SERVER = [
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]

export interface OverlayOptions {
  /** The kustomization of the default manifests: a path from the overlay's folder, or a URL. */
  readonly base: string
  /** Whether the gateway serves external metrics. */
  readonly external: boolean
  /** Where nodes pull the images from; `undefined`: the names of the base are kept. */
  readonly registry?: string | undefined
}

/** @returns the text of each file by its name */
export function overlayFiles(
  adoptions: readonly Adoption[],
  options: OverlayOptions,
): ReadonlyMap<string, string> {
  const cas = adoptions.flatMap((adoption) =>
    adoption.ca === undefined ? [] : [[caFileOf(adoption), adoption.ca] as const],
  )
  const apiServices = adoptions.flatMap((adoption) => adoption.apiServices)
  return new Map([
    [
      'kustomization.yaml',
      kustomization(
        cas.map(([file]) => file),
        options,
      ),
    ],
    [PATCH, patch(adoptions)],
    ...cas,
    [WAY_BACK, wayBack(apiServices)],
  ])
}

function caFileOf({ group }: Adoption): string {
  return `${group}-metrics-ca.crt`
}

function kustomization(
  caFiles: readonly string[],
  { base, external, registry }: OverlayOptions,
): string {
  const components = ['upstream', ...(external ? ['external'] : [])]
  const configMap = { name: CA_CONFIG_MAP, namespace: NAMESPACE, files: caFiles }
  const value = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [base],
    components: components.map((name) => below(base, `components/${name}`)),
    // Without a registry an image keeps its name, and the reader sees where to write one.
    images: IMAGES.map((name) => ({ name, newName: [registry, name].filter(Boolean).join('/') })),
    ...(caFiles.length === 0 ? {} : { configMapGenerator: [configMap] }),
    patches: [{ path: PATCH }],
  }
  const text =
    'Written by "flux-metrics adopt": the gateway serves the metrics of MiniClusters, and passes all other requests\non to the servers that had these APIs before. The way back is in way-back.yaml, which is not part of this.'
  const ofImages =
    'Where your nodes pull the images from: registry.example/flux/flux-metrics-webhook, for example.'
  return formatCommented(value, [
    { path: ['apiVersion'], text },
    { path: ['images'], text: ofImages },
  ])
}

/** A URL has its query at the end: `https://host/repo//manifests?ref=v1`. */
function below(base: string, path: string): string {
  const [, folder = base, query = ''] = /^([^?]*?)\/*(\?.*)?$/.exec(base) ?? []
  return `${folder}/${path}${query}`
}

function patch(adoptions: readonly Adoption[]): string {
  const env = adoptions.flatMap((adoption) => {
    const variable = `UPSTREAM_${adoption.group.toUpperCase()}_METRICS`
    const verification =
      adoption.ca === undefined
        ? { name: `${variable}_INSECURE`, value: 'true' }
        : { name: `${variable}_CA_FILE`, value: `${CA_FOLDER}/${caFileOf(adoption)}` }
    return [{ name: variable, value: adoption.service }, verification]
  })
  const isMounted = adoptions.some(({ ca }) => ca !== undefined)
  const mount = { name: 'upstream-ca', mountPath: CA_FOLDER, readOnly: true }
  const volume = { name: 'upstream-ca', configMap: { name: CA_CONFIG_MAP } }
  const container = { name: 'gateway', env, ...(isMounted ? { volumeMounts: [mount] } : {}) }
  const value = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: GATEWAY, namespace: NAMESPACE },
    spec: {
      template: {
        spec: { containers: [container], ...(isMounted ? { volumes: [volume] } : {}) },
      },
    },
  }
  return formatCommented(value, [])
}

function wayBack(apiServices: readonly ApiService[]): string {
  const text = `The APIServices as they were. The annotation ${TAKE_OVER_ANNOTATION} keeps the gateway from taking them over again.`
  return apiServices
    .map(({ value }, index) =>
      formatCommented(original(value), index === 0 ? [{ path: ['apiVersion'], text }] : []),
    )
    .join('---\n')
}

/** The object as its manager would write it, with the annotation. */
function original({ apiVersion, kind, metadata, spec }: Document['value']): object {
  const kept = Object.entries(metadata ?? {}).filter(([key]) => !OF_SERVER.includes(key))
  const fields: Record<string, unknown> = Object.fromEntries(kept)
  const annotations = { ...Object(fields.annotations), [TAKE_OVER_ANNOTATION]: 'never' }
  return { apiVersion, kind, metadata: { ...fields, annotations }, spec }
}
