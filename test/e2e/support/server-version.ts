// The Kubernetes version of the cluster under test.
import * as v from 'valibot'
import {
  isSince,
  parseServerVersion,
  type ServerVersion,
} from '../../../webhook/kubernetes/server-version.ts'
import { getRaw } from './kubectl.ts'

const Version = v.object({ gitVersion: v.string() })

/** The feature gate HPAScaleToZero is on by default from this version on. Without it no HPA may have `minReplicas: 0`. */
export const SCALES_TO_ZERO_SINCE: ServerVersion = { major: 1, minor: 37 }

export interface ReadVersion {
  /** With the suffix of a provider, such as `v1.37.2`. */
  readonly gitVersion: string
  readonly version: ServerVersion
}

export async function readVersion(): Promise<ReadVersion> {
  const { gitVersion } = v.parse(Version, await getRaw('/version'))
  const version = parseServerVersion(gitVersion)
  if (version === undefined) throw new TypeError(`Cannot read the version "${gitVersion}"`)
  return { gitVersion, version }
}

/** ValidatingAdmissionPolicies are in API version v1 since Kubernetes 1.30. */
export async function hasAdmissionPolicies(): Promise<boolean> {
  return isSince((await readVersion()).version, { major: 1, minor: 30 })
}

/** Since Kubernetes 1.34 a pod may have resources as a whole. Older API servers drop that field. */
export async function hasPodResources(): Promise<boolean> {
  return isSince((await readVersion()).version, { major: 1, minor: 34 })
}

/** Since Kubernetes 1.33 the API server finds the pods behind an APIService by EndpointSlices, before by Endpoints. */
export async function readsEndpointSlices(): Promise<boolean> {
  return isSince((await readVersion()).version, { major: 1, minor: 33 })
}
