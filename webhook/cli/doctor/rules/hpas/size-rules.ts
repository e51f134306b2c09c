// The object that an HPA scales, and its bounds. Pure.
import { isMiniCluster, MINICLUSTER } from '../../../../objects/minicluster.ts'
import { spellHpa } from '../../../input/cluster/hpa.ts'
import { finding } from '../../finding.ts'
import type { HpaRule } from './hpa-rule.ts'

const WEDGED = 'the Flux Operator does nothing for a MiniCluster of such a size'

export const SIZE_RULES: readonly HpaRule[] = [
  (hpa) => {
    const { scaleTargetRef } = hpa.spec
    if (isMiniCluster(scaleTargetRef)) return []
    const { kind, apiVersion } = scaleTargetRef
    return [
      finding('hpa-target', {
        subject: spellHpa(hpa),
        message: `it scales ${kind} of ${apiVersion || 'no apiVersion'}, not the MiniCluster: the Flux Operator does not see that`,
        fix: `set spec.scaleTargetRef to apiVersion ${MINICLUSTER.apiVersion}, kind MiniCluster`,
      }),
    ]
  },

  (hpa, { minicluster: { spec } }) => {
    const { maxReplicas } = hpa.spec
    // Without it the MiniCluster has a finding of its own.
    if (spec.maxSize === 0 || maxReplicas === spec.maxSize) return []
    const subject = spellHpa(hpa)
    if (maxReplicas > spec.maxSize) {
      const message = `maxReplicas ${maxReplicas} is above spec.maxSize ${spec.maxSize} of the MiniCluster: ${WEDGED}`
      const fix = `set maxReplicas to ${spec.maxSize}`
      return [finding('hpa-above-maximum', { subject, message, fix })]
    }
    const message = `maxReplicas ${maxReplicas} is below spec.maxSize ${spec.maxSize} of the MiniCluster: jobs for more nodes wait for ever`
    const fix = `set maxReplicas to ${spec.maxSize}, if that is not on purpose`
    return [finding('hpa-below-maximum', { subject, message, fix })]
  },

  (hpa, { minicluster: { spec } }) => {
    const minReplicas = hpa.spec.minReplicas ?? 1
    const subject = spellHpa(hpa)
    const fix = `set minReplicas to ${Math.max(1, spec.minSize)}`
    if (minReplicas === 0) {
      const message = `minReplicas is 0: at size 0 the lead broker and all of its jobs are gone, and ${WEDGED}`
      return [finding('hpa-minimum-zero', { subject, message, fix })]
    }
    if (minReplicas >= spec.minSize) return []
    const message = `minReplicas ${minReplicas} is below spec.minSize ${spec.minSize} of the MiniCluster: ${WEDGED}`
    return [finding('hpa-below-minimum', { subject, message, fix })]
  },
]
