// The HPA that `flux-metrics hpa` writes for the MiniCluster on this cluster, except that it shrinks faster, so that a test
// does not wait for minutes.
import * as v from 'valibot'
import {
  type Choices,
  choicesFor,
  type RecommendedHpa,
  recommendHpa,
} from '../../../webhook/cli/hpa/recommended-hpa.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/minicluster-source.ts'
import type { ScalingRules } from '../../../webhook/cli/simulate/hpa-controller/spec.ts'
import type { Environment } from './environment.ts'
import { readVersion } from './server-version.ts'

export interface Recommended {
  readonly hpa: RecommendedHpa
  /** The choices from which the HPA is made. */
  readonly choices: Choices
}

/** @param scaleDown replaces settings of `behavior.scaleDown` */
export async function recommendedHpa(
  environment: Environment,
  scaleDown: ScalingRules = { stabilizationWindowSeconds: 0 },
): Promise<Recommended> {
  const miniCluster = await environment.miniCluster()
  const source = v.parse(MiniClusterSource, miniCluster)
  const choices = choicesFor(source, (await readVersion()).version)
  const { spec, ...header } = recommendHpa(miniCluster.apiVersion ?? '', source, choices)
  const behavior = { ...spec.behavior, scaleDown: { ...spec.behavior?.scaleDown, ...scaleDown } }
  return { hpa: { ...header, spec: { ...spec, behavior } }, choices }
}
