// The APIServices of the metrics groups among the documents: whose each is, and how its server is verified. Pure.
import * as v from 'valibot'
import { CA_BUNDLE_LABEL, GATEWAY, TAKE_OVER_ANNOTATION } from '../../contract.ts'
import { type Document, describeUnexpected, type ReadResult } from '../input/files/documents.ts'
import { describeIssues } from '../input/files/issues.ts'

/** The groups that the gateway can serve, and the names of their APIServices. */
export const GROUPS = {
  custom: ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'],
  external: ['v1beta1.external.metrics.k8s.io'],
} as const

export type Group = keyof typeof GROUPS

export const NAMES: readonly string[] = Object.values(GROUPS).flat()

/** How API servers verify the server behind an APIService. */
export type Verification =
  /** By these CA certificates (PEM). */
  | { readonly kind: 'ca'; readonly pem: string }
  | { readonly kind: 'none' }
  /** By the CA certificates of the API server's own machine. */
  | { readonly kind: 'system' }

export interface ApiService {
  readonly name: string
  /** `namespace/name:port`; `undefined` if the API server itself answers. */
  readonly service: string | undefined
  /** Whether it leads to the gateway or to a sidecar. */
  readonly isOurs: boolean
  /** Whether the gateway must not take it over. */
  readonly isKept: boolean
  readonly verification: Verification
  /** The object as it was read. */
  readonly value: Document['value']
}

const Texts = v.nullish(v.record(v.string(), v.string()), {})

const Source = v.looseObject({
  metadata: v.looseObject({ name: v.string(), labels: Texts, annotations: Texts }),
  spec: v.looseObject({
    service: v.nullish(
      v.looseObject({
        namespace: v.string(),
        name: v.string(),
        port: v.nullish(v.pipe(v.number(), v.integer()), 443),
      }),
    ),
    caBundle: v.nullish(v.string(), ''),
    insecureSkipTLSVerify: v.nullish(v.boolean(), false),
  }),
})

/** Objects of other kinds, and APIServices of other groups, are skipped. */
export function readApiServices(documents: readonly Document[]): ReadResult<ApiService> {
  const found: ApiService[] = []
  const problems: string[] = []
  const candidates = documents.filter(isApiService)
  if (candidates.length === 0 && documents.length > 0) {
    return { found, problems: [describeUnexpected(documents, 'an APIService')] }
  }
  for (const document of candidates) {
    const { value, placeOf } = document
    const parsed = v.safeParse(Source, value)
    if (!parsed.success) {
      problems.push(...describeIssues(document, parsed.issues))
      continue
    }
    const { name } = parsed.output.metadata
    if (!NAMES.includes(name)) continue
    const verification = verificationOf(parsed.output.spec)
    if (verification === undefined) {
      const place = placeOf(['spec', 'caBundle'])
      problems.push(`${place}: spec.caBundle: expected PEM certificates in base64`)
    } else if (found.some((other) => other.name === name)) {
      problems.push(`${placeOf([])}: expected one APIService ${name}, got two`)
    } else found.push(toApiService(parsed.output, verification, value))
  }
  return { found, problems }
}

function isApiService({ apiVersion, kind }: Document): boolean {
  return kind === 'APIService' && apiVersion.startsWith('apiregistration.k8s.io/')
}

function toApiService(
  { metadata, spec }: v.InferOutput<typeof Source>,
  verification: Verification,
  value: Document['value'],
): ApiService {
  const { service } = spec
  return {
    name: metadata.name,
    service: service ? `${service.namespace}/${service.name}:${service.port}` : undefined,
    isOurs: metadata.labels[CA_BUNDLE_LABEL] === 'true' || service?.name === GATEWAY,
    isKept: metadata.annotations[TAKE_OVER_ANNOTATION] === 'never',
    verification,
    value,
  }
}

function verificationOf(spec: v.InferOutput<typeof Source>['spec']): Verification | undefined {
  if (spec.insecureSkipTLSVerify) return { kind: 'none' }
  if (spec.caBundle === '') return { kind: 'system' }
  const pem = Buffer.from(spec.caBundle, 'base64').toString()
  if (!/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(pem)) return undefined
  return { kind: 'ca', pem: `${pem.trim()}\n` }
}
