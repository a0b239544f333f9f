import { concatMap, NEVER, Observable, of, take } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { conflate } from '../../src/rx/conflate.ts';
import { handover } from '../../src/rx/handover.ts';
import { mergeUntilComplete } from '../../src/rx/mergeUntilComplete.ts';
import { processOnDemand } from '../../src/rx/processOnDemand.ts';
import { retryForever } from '../../src/rx/retryForever.ts';

/*
 * The same cases for every operator of two streams, as the specs of RxJS have them: what is empty, never ends, or fails, outside and
 * inside, cold and hot, and who is let go of when somebody leaves in the middle of a chain. What is special about an operator is in its
 * own file.
 */

interface Case {
  outer: string;
  inner: string;
  isHot?: boolean;
  /** Both tell everything while they are subscribed to, which no marble does. */
  isSynchronous?: boolean;
  /** Leaves then. */
  leaves?: string;
  /** Leaves with the first value. */
  takesOne?: boolean;
  gives: string;
  outerSubscriptions: string | string[];
  innerSubscriptions: string | string[];
}

type Operator = (outer$: Observable<string>, inner$: Observable<string>) => Observable<string>;

/** The inner stream begins with a value of the outer one. */
const projecting: Record<string, Case> = {
  'the outer is empty': { outer: '|', inner: 'x|', gives: '|', outerSubscriptions: '(^!)', innerSubscriptions: [] },
  'the outer never tells anything': {
    outer: '-',
    inner: 'x|',
    gives: '-',
    outerSubscriptions: '^',
    innerSubscriptions: [],
  },
  'the outer fails': { outer: '#', inner: 'x|', gives: '#', outerSubscriptions: '(^!)', innerSubscriptions: [] },
  'the inner is empty': {
    outer: '-a-|',
    inner: '|',
    gives: '---|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '-(^!)',
  },
  'the inner never ends': {
    outer: '-a-|',
    inner: '-',
    gives: '-',
    outerSubscriptions: '^--!',
    innerSubscriptions: '-^',
  },
  'the inner fails at once': {
    outer: '-a-|',
    inner: '#',
    gives: '-#',
    outerSubscriptions: '^!',
    innerSubscriptions: '-(^!)',
  },
  'the inner fails later': {
    outer: '-a------',
    inner: ' -x-#',
    gives: '--x-#',
    outerSubscriptions: '^---!',
    innerSubscriptions: '-^--!',
  },
  'the outer fails while the inner lasts': {
    outer: '-a-#',
    inner: ' ----x',
    gives: '---#',
    outerSubscriptions: '^--!',
    innerSubscriptions: '-^-!',
  },
  'a cold inner outlives the outer': {
    outer: '-a|',
    inner: ' -x-y|',
    gives: '--x-y|',
    outerSubscriptions: '^-!',
    innerSubscriptions: '-^---!',
  },
  'a hot inner has begun before': {
    outer: '-a|',
    inner: 'p--y-|',
    isHot: true,
    gives: '---y-|',
    outerSubscriptions: '^-!',
    innerSubscriptions: '-^---!',
  },
  'somebody leaves in the middle of a chain': {
    outer: '-a------',
    inner: ' -x-y-z',
    leaves: '^---!',
    gives: '--x--',
    outerSubscriptions: '^---!',
    innerSubscriptions: '-^--!',
  },
  'somebody leaves with the first value': {
    outer: '-a------',
    inner: ' -x-y-z',
    takesOne: true,
    gives: '--(x|)',
    outerSubscriptions: '^-!',
    innerSubscriptions: '-^!',
  },
  'both are synchronous': {
    isSynchronous: true,
    outer: '(a|)',
    inner: '(xy|)',
    gives: '(xy|)',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'both are synchronous, and somebody leaves with the first value': {
    isSynchronous: true,
    outer: '(a|)',
    inner: '(xy|)',
    takesOne: true,
    gives: '(x|)',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
};

/** The inner stream is listened to from the beginning. */
const merging: Record<string, Case> = {
  'the outer is empty': { outer: '|', inner: '-x', gives: '|', outerSubscriptions: '(^!)', innerSubscriptions: '(^!)' },
  'the outer never tells anything': {
    outer: '-',
    inner: '-x|',
    gives: '-x',
    outerSubscriptions: '^',
    innerSubscriptions: '^-!',
  },
  'the outer fails': { outer: '#', inner: '-x', gives: '#', outerSubscriptions: '(^!)', innerSubscriptions: '(^!)' },
  'the inner is empty': {
    outer: '-a-|',
    inner: '|',
    gives: '-a-|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '(^!)',
  },
  'the inner never ends': {
    outer: '-a-|',
    inner: '-',
    gives: '-a-|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^--!',
  },
  'the inner fails at once': {
    outer: '-a-|',
    inner: '#',
    gives: '#',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'the inner fails later': {
    outer: '-a------',
    inner: '--x-#',
    gives: '-ax-#',
    outerSubscriptions: '^---!',
    innerSubscriptions: '^---!',
  },
  'the outer fails while the inner lasts': {
    outer: '-a-#',
    inner: '--x--y',
    gives: '-ax#',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^--!',
  },
  'a cold inner would outlive the outer': {
    outer: '-a|',
    inner: 'x--y',
    gives: 'xa|',
    outerSubscriptions: '^-!',
    innerSubscriptions: '^-!',
  },
  'a hot inner would outlive the outer': {
    outer: '-a-|',
    inner: '--p-q',
    isHot: true,
    gives: '-ap|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^--!',
  },
  'somebody leaves in the middle of a chain': {
    outer: '-a------',
    inner: '--x--y',
    leaves: '^---!',
    gives: '-ax--',
    outerSubscriptions: '^---!',
    innerSubscriptions: '^---!',
  },
  'somebody leaves with the first value': {
    outer: '-a------',
    inner: '--x--y',
    takesOne: true,
    gives: '-(a|)',
    outerSubscriptions: '^!',
    innerSubscriptions: '^!',
  },
  'both are synchronous': {
    isSynchronous: true,
    outer: '(ab|)',
    inner: '(xy|)',
    gives: '(xyab|)',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'both are synchronous, and somebody leaves with the first value': {
    isSynchronous: true,
    outer: '(ab|)',
    inner: '(xy|)',
    takesOne: true,
    gives: '(x|)',
    outerSubscriptions: [],
    innerSubscriptions: '(^!)',
  },
};

/** The inner stream asks for the end. A failure of the outer one is an `f`, and it begins again after 2 ms. */
const retrying: Record<string, Case> = {
  'the outer is empty': { outer: '|', inner: '-', gives: '|', outerSubscriptions: '(^!)', innerSubscriptions: '(^!)' },
  'the outer never tells anything': {
    outer: '-',
    inner: '-',
    gives: '-',
    outerSubscriptions: '^',
    innerSubscriptions: '^',
  },
  'the outer fails': {
    outer: '#',
    inner: '-',
    leaves: '^----!',
    gives: 'f-f-f-',
    outerSubscriptions: ['(^!)', '--(^!)', '----(^!)'],
    innerSubscriptions: '^----!',
  },
  'the inner is empty': {
    outer: '-a-#',
    inner: '|',
    gives: '-a-(f|)',
    outerSubscriptions: '^--!',
    innerSubscriptions: '(^!)',
  },
  'the inner never ends': {
    outer: '-a-|',
    inner: '-',
    gives: '-a-|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^--!',
  },
  'the inner fails at once': {
    outer: '-a-|',
    inner: '#',
    gives: '#',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'the inner fails later': {
    outer: '-a------',
    inner: '--#',
    gives: '-a#',
    outerSubscriptions: '^-!',
    innerSubscriptions: '^-!',
  },
  'a cold inner asks during a wait': {
    outer: '-a-#',
    inner: '----s',
    gives: '-a-f|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^---!',
  },
  'a hot inner asks while the outer lasts': {
    outer: '-a-|',
    inner: '--s',
    isHot: true,
    gives: '-a-|',
    outerSubscriptions: '^--!',
    innerSubscriptions: '^-!',
  },
  'somebody leaves in the middle of a chain': {
    outer: '-a------',
    inner: '-',
    leaves: '^---!',
    gives: '-a---',
    outerSubscriptions: '^---!',
    innerSubscriptions: '^---!',
  },
  'somebody leaves with the first value': {
    outer: '-a------',
    inner: '-',
    takesOne: true,
    gives: '-(a|)',
    outerSubscriptions: '^!',
    innerSubscriptions: '^!',
  },
  'both are synchronous': {
    isSynchronous: true,
    outer: '(ab|)',
    inner: '',
    gives: '(ab|)',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'both are synchronous, and somebody leaves with the first value': {
    isSynchronous: true,
    outer: '(ab|)',
    inner: '',
    takesOne: true,
    gives: '(a|)',
    outerSubscriptions: '(^!)',
    innerSubscriptions: '(^!)',
  },
  'the inner asks while it is subscribed to': {
    isSynchronous: true,
    outer: '(ab|)',
    inner: '(s|)',
    gives: '|',
    outerSubscriptions: [],
    innerSubscriptions: '(^!)',
  },
};

/** Tells the values of a group, `(ab|)`, while it is subscribed to; an empty text never tells anything. */
function atOnce(text: string, now: () => number) {
  const subscriptions: SubscriptionLog[] = [];
  const values$ = new Observable<string>(subscriber => {
    const log = { subscribedFrame: now(), unsubscribedFrame: Number.POSITIVE_INFINITY };
    subscriptions.push(log);
    for (const value of text.replaceAll(/[()|]/g, '')) subscriber.next(value);
    if (text.includes('|')) subscriber.complete();
    return () => {
      log.unsubscribedFrame = now();
    };
  });
  return Object.assign(values$, { subscriptions });
}

type SubscriptionLog = { subscribedFrame: number; unsubscribedFrame: number };

const operators: Record<string, { operator: Operator; cases: Record<string, Case> }> = {
  'conflate and its run': {
    cases: projecting,
    operator: (outer$, inner$) => outer$.pipe(conflate(() => inner$)),
  },
  'handover and its generation': {
    cases: projecting,
    operator: (outer$, inner$) => outer$.pipe(handover(() => inner$, { stop$: NEVER, deadlineMs: 100 })),
  },
  'processOnDemand and the processing of an item': {
    cases: projecting,
    operator: (outer$, inner$) => {
      const queue = ['item'];
      const claim = (count: number) => of(queue.splice(0, count));
      return outer$.pipe(
        processOnDemand({ concurrency: 1, batch: 1, claim, process: () => inner$, upstreamDone$: NEVER }),
      );
    },
  },
  'mergeUntilComplete and the other stream': {
    cases: merging,
    operator: (outer$, inner$) => outer$.pipe(mergeUntilComplete(inner$)),
  },
  'retryForever and its stop': {
    cases: retrying,
    operator: (outer$, inner$) =>
      outer$.pipe(
        retryForever({
          firstMs: 2,
          longestMs: 2,
          random: () => 0.5,
          stop$: inner$,
          onFailure: () => 'f',
          isResolved: () => false,
          isOpen: () => false,
          onResolved: () => 'resolved',
        }),
      ),
  },
};

describe.each(Object.entries(operators))('%s', (_name, { operator, cases }) => {
  it.each(Object.entries(cases))('%s', (_situation, situation) => {
    const { outer, inner, isHot, isSynchronous, leaves, takesOne, gives, outerSubscriptions, innerSubscriptions } =
      situation;
    const scheduler = new TestScheduler((actual, expected) => expect(actual).toEqual(expected));
    scheduler.run(({ cold, hot, expectObservable, expectSubscriptions }) => {
      const make = (text: string) => (isSynchronous ? atOnce(text, () => scheduler.now()) : cold(text));
      const outer$ = make(outer);
      const inner$ = isHot ? hot(inner) : make(inner);
      const chain$ = operator(outer$.pipe(concatMap(value => of(value))), inner$).pipe(concatMap(value => of(value)));
      expectObservable(takesOne ? chain$.pipe(take(1)) : chain$, leaves).toBe(gives);
      expectSubscriptions(outer$.subscriptions).toBe(outerSubscriptions);
      expectSubscriptions(inner$.subscriptions).toBe(innerSubscriptions);
    });
  });
});
