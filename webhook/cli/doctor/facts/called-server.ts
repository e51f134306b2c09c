// By what API servers call a server: its Service and the CA bundle. An APIService and a webhook's configuration say it in the same fields.
import * as v from 'valibot'
import { CA_BUNDLE_LABEL } from '../../../contract.ts'
import type { ServicePlace } from './service.ts'

/** Fields of `spec` of an APIService, and of `clientConfig` of a webhook. */
export const CalledServerFields = {
  service: v.nullish(
    v.object({ namespace: v.string(), name: v.string(), port: v.nullish(v.number(), 443) }),
  ),
  caBundle: v.nullish(v.string(), ''),
}

const Fields = v.object(CalledServerFields)

export interface CalledServer {
  /** `undefined` if no Service is called: the API server itself answers, or it is called by a URL. */
  readonly place: ServicePlace | undefined
  /** Certificates that verify the server (PEM); empty if there is none. */
  readonly caBundle: string
  /** Whether the webhook keeps the CA bundle. */
  readonly isKeptByUs: boolean
}

/** @param labels of the object that has the fields */
export function calledServer(
  { service, caBundle }: v.InferOutput<typeof Fields>,
  labels: Readonly<Record<string, string>> | null | undefined,
): CalledServer {
  return {
    place: service ? { ...service, port: service.port ?? 443 } : undefined,
    caBundle: Buffer.from(caBundle ?? '', 'base64').toString(),
    isKeptByUs: labels?.[CA_BUNDLE_LABEL] === 'true',
  }
}
