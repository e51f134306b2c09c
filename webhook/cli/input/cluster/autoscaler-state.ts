// What Kubernetes says of the HPAs that scale a MiniCluster, a line each, and what that answers of an explanation: for top and
// for the dashboard.
import { printable } from '#serving/text.ts'
import { isMiniCluster } from '../../../objects/minicluster.ts'
import type { Io } from '../../command.ts'
import { parseJson, type ReadExplanation } from './explanation.ts'
import { type Hpa, passesTolerance, toHpas } from './hpa.ts'
import { spellRivals } from './hpa-rivals.ts'
import type { KubectlFlags } from './kubectl.ts'
import { getObjectsIn } from './kubectl.ts'

export interface AutoscalerState {
  /** One line about each HPA of the MiniCluster, or why none is shown. */
  readonly lines: readonly string[]
  /** Those that scale it; `undefined` if they are not known. */
  readonly hpas: readonly Hpa[] | undefined
}

/** Never rejects. */
export async function readAutoscalers(
  { name, namespace }: { readonly name: string; readonly namespace: string },
  flags: KubectlFlags,
  io: Io,
): Promise<AutoscalerState> {
  const answer = await getObjectsIn('horizontalpodautoscalers', namespace, flags, io.env)
  if (answer.kind === 'failure') {
    return { lines: [`not known: ${printable(answer.reason)}`], hpas: undefined }
  }
  return autoscalersIn(answer.text, name)
}

/** @param text a list of HPAs as JSON */
export function autoscalersIn(text: string, minicluster: string): AutoscalerState {
  const all = toHpas(parseJson(text))
  if (all === undefined) {
    return { lines: ['not known: kubectl did not answer a list of HPAs'], hpas: undefined }
  }
  const hpas = all.filter(({ spec: { scaleTargetRef } }) => {
    return isMiniCluster(scaleTargetRef) && scaleTargetRef.name === minicluster
  })
  if (hpas.length === 0) return { lines: ['none scales this MiniCluster'], hpas }
  const rivals = hpas.length > 1 ? [spellRivals(hpas)] : []
  return { lines: [...hpas.map(describeHpa), ...rivals], hpas }
}

/** Without the warning about HPAs that ignore small changes, if it is known that none of them does. */
export function withoutAnswered(
  explanation: ReadExplanation,
  hpas: readonly Hpa[] | undefined,
): ReadExplanation {
  const { desired, present, warnings } = explanation
  if (desired === null || hpas === undefined || hpas.length === 0) return explanation
  const way = desired > present ? 'scaleUp' : 'scaleDown'
  if (!hpas.every((hpa) => passesTolerance(hpa, way))) return explanation
  return { ...explanation, warnings: warnings.filter(({ code }) => code !== 'hpa-tolerance') }
}

/** Conditions that say why an HPA does not do what is wanted: with this status. */
const TELLING: ReadonlyMap<string, string> = new Map([
  ['AbleToScale', 'False'],
  ['ScalingActive', 'False'],
  ['ScalingLimited', 'True'],
])

/** Reasons of AbleToScale that are no failure: the HPA waits until it has wanted the size for its window. Whose window it is. */
const WINDOWS: ReadonlyMap<string, 'scaleUp' | 'scaleDown'> = new Map([
  ['ScaleUpStabilized', 'scaleUp'],
  ['ScaleDownStabilized', 'scaleDown'],
])

function windowOf({ behavior }: Hpa['spec'], reason: string): string {
  const way = WINDOWS.get(reason)
  const seconds = way && behavior?.[way]?.stabilizationWindowSeconds
  return typeof seconds === 'number' ? ` (its window is ${seconds} s)` : ''
}

function describeHpa({ metadata, spec, status }: Hpa): string {
  const { currentReplicas = 0, desiredReplicas = 0, conditions } = status ?? {}
  const size =
    currentReplicas === desiredReplicas
      ? `at ${currentReplicas}`
      : `${currentReplicas} → ${desiredReplicas}`
  const why = (conditions ?? [])
    .filter(({ type, status: value, reason }) => {
      return TELLING.get(type) === value || WINDOWS.has(reason)
    })
    .map(({ reason, message }) => `${reason}: ${message}${windowOf(spec, reason)}`)
  const bounds = `${spec.minReplicas} to ${spec.maxReplicas}`
  return printable([`${metadata.name}: ${size}, of ${bounds}`, ...why].join('; '))
}
