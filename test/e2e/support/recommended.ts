// The HPA that `flux-metrics hpa` writes for the MiniCluster, on this cluster; but that it does not shrink as slowly: a test
// does not wait for minutes.
import * as v from 'valibot'
import {
  type Choices,
  choicesFor,
  type RecommendedHpa,
  recommendHpa,
} from '../../../webhook/cli/hpa/recommended-hpa.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/minicluster-source.ts'
import { readServerVersion } from '../../../webhook/cli/input/server-version.ts'
import type { ScalingRules } from '../../../webhook/cli/simulate/hpa-controller/spec.ts'
import type { Environment } from './environment.ts'
import { getRaw } from './kubectl.ts'

const Version = v.object({ gitVersion: v.string() })

export interface Recommended {
  readonly hpa: RecommendedHpa
  /** What it depends on. */
  readonly choices: Choices
}

/** @param scaleDown what is to be otherwise */
export async function recommendedHpa(
  environment: Environment,
  scaleDown: ScalingRules = { stabilizationWindowSeconds: 0 },
): Promise<Recommended> {
  const miniCluster = await environment.miniCluster()
  const source = v.parse(MiniClusterSource, miniCluster)
  const { gitVersion } = v.parse(Version, await getRaw('/version'))
  const version = readServerVersion(gitVersion)
  if (typeof version === 'string') throw new TypeError(`Cannot recommend an HPA: ${version}`)
  const choices = choicesFor(source, version)
  const { spec, ...header } = recommendHpa(miniCluster.apiVersion ?? '', source, choices)
  const behavior = { ...spec.behavior, scaleDown: { ...spec.behavior?.scaleDown, ...scaleDown } }
  return { hpa: { ...header, spec: { ...spec, behavior } }, choices }
}
