import { AssignerProtocol, type PartitionAssigner } from 'kafkajs';

/** A fixed share of every topic's partitions: those whose number is `index` modulo `count`. */
export interface PartitionShare {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

const NAME = 'TidelineShare';

/** Gives each member the share's partitions: for a group whose only member is this process. */
export function shareAssigner({ index, count }: PartitionShare): PartitionAssigner {
  return ({ cluster }) => ({
    name: NAME,
    version: 1,
    assign: ({ members, topics }) => {
      const partitionsOf = (topic: string): number[] =>
        cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => partitionId)
          .filter((partition) => partition % count === index);
      const assignment = Object.fromEntries(topics.map((topic) => [topic, partitionsOf(topic)]));
      const memberAssignment = AssignerProtocol.MemberAssignment.encode({
        version: 1,
        assignment,
        userData: Buffer.alloc(0),
      });
      return Promise.resolve(members.map(({ memberId }) => ({ memberId, memberAssignment })));
    },
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [...topics], userData: Buffer.alloc(0) }),
    }),
  });
}
