// The HPA that `flux-metrics hpa` prints for the MiniCluster on this cluster. It shrinks faster, so that tests need not wait
// for minutes.
import * as v from 'valibot'
import {
  type Choices,
  choicesFor,
  type RecommendedHpa,
  recommendHpa,
} from '../../../webhook/cli/hpa/recommended-hpa.ts'
import type { ScalingRules } from '../../../webhook/cli/hpa-controller/spec.ts'
import { MiniClusterSource } from '../../../webhook/cli/input/files/minicluster-source.ts'
import type { Environment } from './environment.ts'
import { readVersion } from './server-version.ts'

export interface Recommended {
  readonly hpa: RecommendedHpa
  /** What the HPA depends on. */
  readonly choices: Choices
}

/** @param scaleDown rules that replace the recommended ones */
export async function recommendedHpa(
  environment: Pick<Environment, 'miniCluster'>,
  scaleDown: ScalingRules = { stabilizationWindowSeconds: 0 },
): Promise<Recommended> {
  const miniCluster = await environment.miniCluster()
  const source = v.parse(MiniClusterSource, miniCluster)
  const choices = choicesFor(source, (await readVersion()).version)
  const { spec, ...header } = recommendHpa(miniCluster.apiVersion ?? '', source, choices)
  const behavior = { ...spec.behavior, scaleDown: { ...spec.behavior?.scaleDown, ...scaleDown } }
  return { hpa: { ...header, spec: { ...spec, behavior } }, choices }
}
