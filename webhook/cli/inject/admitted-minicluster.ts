// A MiniCluster as the webhook admits it: a new one gets the annotations that protect its pods. Pure.
import * as v from 'valibot'
import { applyTo } from '../../injection/json-patch.ts'
import { protectPods } from '../../injection/protection.ts'
import { readAnnotations } from '../../objects/annotations.ts'
import { MiniClusterSource } from '../input/files/minicluster-source.ts'
import { type FoundMiniCluster, NO_UID } from '../input/files/objects.ts'
import { isPlaceholder } from '../input/files/placeholder-names.ts'

/** A MiniCluster that the webhook changes, for the user: without the fields that an API server fills in. */
export interface Protected {
  readonly name: string
  readonly before: unknown
  readonly after: unknown
  readonly why: string
}

export interface Admitted {
  readonly value: MiniClusterSource
  /** `undefined` if it stays as it is, like every MiniCluster that is stored already. */
  readonly change: Protected | undefined
}

export function admit({ value, document }: FoundMiniCluster): Admitted {
  const { metadata, spec } = value
  const { settings } = readAnnotations(spec.pod.annotations, metadata.annotations)
  const isStored = metadata.uid !== NO_UID
  const patch = isStored ? [] : protectPods(document.value, settings)
  if (patch.length === 0) return { value, change: undefined }
  const after = applyTo(document.value, patch)
  return {
    value: v.parse(MiniClusterSource, after),
    change: {
      name: `minicluster/${metadata.name}`,
      before: asSent(document.value),
      after: asSent(Object(after)),
      why: 'protected: its pods get the annotations by which node autoscalers leave them where they are',
    },
  }
}

function asSent(stored: Readonly<Record<string, unknown>>): unknown {
  const { uid: _uid, ...metadata } = Object(stored.metadata)
  if (isPlaceholder(metadata.name)) delete metadata.name
  return { ...stored, metadata }
}
