// A batch/v1 `Job` as far as its controller makes pods of it: more than the webhook reads.
import * as v from 'valibot'
import { Metadata } from '../../../objects/pod.ts'

const Container = v.looseObject({
  name: v.string(),
  env: v.nullish(v.array(v.looseObject({ name: v.string() }))),
})

export const JobSource = v.looseObject({
  apiVersion: v.string(),
  metadata: v.looseObject({ ...Metadata.entries, name: v.string() }),
  spec: v.looseObject({
    completionMode: v.nullish(v.string()),
    manualSelector: v.nullish(v.boolean()),
    template: v.looseObject({
      metadata: v.nullish(
        v.looseObject({ ...Metadata.entries, finalizers: v.nullish(v.array(v.string())) }),
      ),
      spec: v.looseObject({
        initContainers: v.nullish(v.array(Container)),
        containers: v.pipe(v.array(Container), v.minLength(1)),
      }),
    }),
  }),
})

export type JobSource = v.InferOutput<typeof JobSource>
export type JobContainer = v.InferOutput<typeof Container>
