import AllocationCounter
import Glibc
import Testing

@testable import GatewayAgent

@Suite struct IOEventLoopTests {
  private let loop: EventLoop

  init() throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
  }

  @Test func firesTimersInTheOrderOfTheirDeadlines() {
    var order: [Int] = []
    loop.schedule(afterMilliseconds: 20) { order.append(3) }
    loop.schedule(afterMilliseconds: 1) { order.append(1) }
    loop.schedule(afterMilliseconds: 10) { order.append(2) }
    #expect(LoopHarness.run(loop) { order.count == 3 })
    #expect(order == [1, 2, 3])
  }

  @Test func doesNotFireACancelledTimerAndRearmsAnother() {
    var fired = 0
    let cancelled = loop.schedule(afterMilliseconds: 5) { Issue.record("cancelled timer fired") }
    cancelled.cancel()
    let timer = loop.timer { fired += 1 }
    timer.arm(afterMilliseconds: 60_000)
    timer.arm(afterMilliseconds: 5)
    #expect(LoopHarness.run(loop) { fired == 1 })
    #expect(!timer.isArmed)
    timer.arm(afterMilliseconds: 60_000)
    timer.armNoLater(thanMilliseconds: 1)
    #expect(LoopHarness.run(loop) { fired == 2 })
  }

  @Test func sleepsUntilTheFirstDeadlineWithoutTicks() {
    var isDone = false
    loop.schedule(afterMilliseconds: 100) { isDone = true }
    var turns = 0
    while !isDone {
      loop.turn(waitingAtMost: .max)
      turns += 1
    }
    #expect(turns == 1)
  }

  @Test func endsRunWhenStopped() {
    loop.schedule(afterMilliseconds: 1) { [loop] in loop.stop() }
    loop.run()
  }

  @Test func forgetsAWatchThatAnotherHandlerRemoved() throws {
    let first = FileDescriptor(owning: Self.readyPipe())
    let second = FileDescriptor(owning: Self.readyPipe())
    var watches: [EventLoop.Watch] = []
    var calls = 0
    let remove = { [loop] (ready: Readiness) in
      calls += 1
      for watch in watches { loop.unwatch(watch) }
    }
    watches.append(try loop.watch(first.number, for: .readable, remove))
    watches.append(try loop.watch(second.number, for: .readable, remove))
    loop.turn(waitingAtMost: 1000)
    #expect(calls == 1)
    let again = try loop.watch(first.number, for: .readable) { _ in calls += 10 }
    for watch in watches { loop.unwatch(watch) }
    loop.turn(waitingAtMost: 1000)
    #expect(calls == 11)
    loop.unwatch(again)
  }

  @Test func refusesARegularFileWithEPERM() throws {
    let directory = LoopHarness.temporaryDirectory()
    LoopHarness.write("x", to: directory + "/f")
    let file = try FileDescriptor(unsafe open(directory + "/f", O_RDONLY), from: "open")
    let number = file.number
    do throws(SystemError) {
      _ = try loop.watch(number, for: .readable) { _ in }
      Issue.record("a regular file was taken")
    } catch {
      #expect(error.number == EPERM)
    }
  }

  @Test func dispatchesWithoutHeap() throws {
    let pipe = FileDescriptor(owning: Self.readyPipe())
    var events = 0
    let timer = loop.timer { events += 1 }
    let watch = try loop.watch(pipe.number, for: .readable) { _ in
      events += 1
      timer.arm(afterMilliseconds: 0)
    }
    for _ in 0..<10 { loop.turn(waitingAtMost: 100) }
    let before = allocation_count()
    for _ in 0..<1000 { loop.turn(waitingAtMost: 100) }
    let after = allocation_count()
    #expect(after == before)
    #expect(events >= 2000)
    loop.unwatch(watch)
    let control = [UInt8](repeating: 0, count: Int.random(in: 100...200))
    #expect(allocation_count() > after, "the counter counts, \(control.count)")
  }

  @Test func handsBackWhatAHelperDid() throws {
    final class Answer { var value = 0 }
    let answer = Answer()
    var isDone = false
    try HelperThread(on: loop) {
      usleep(20_000)
      answer.value = 42
    } completion: {
      isDone = true
    }
    #expect(LoopHarness.run(loop) { isDone })
    #expect(answer.value == 42)
  }

  @Test func interruptsACallThatBlocks() throws {
    final class Answer { var reason: Int32 = 0 }
    let answer = Answer()
    var isDone = false
    let helper = try HelperThread(on: loop) {
      if poll(nil, 0, 60_000) < 0 { answer.reason = errno }
    } completion: {
      isDone = true
    }
    #expect(
      LoopHarness.run(loop) {
        helper.interrupt()
        return isDone
      })
    #expect(answer.reason == EINTR)
    helper.interrupt()
  }

  @Test func deliversSignalsAsEvents() throws {
    // On a thread of its own, whose mask dies with it.
    var numbers: [Int32] = []
    var isDone = false
    try HelperThread(on: loop) {
      guard let inner = try? EventLoop() else { return }
      try? inner.handleSignals([SIGUSR2]) { numbers.append($0) }
      pthread_kill(pthread_self(), SIGUSR2)
      _ = LoopHarness.run(inner, withinMilliseconds: 2000) { numbers.count == 1 }
    } completion: {
      isDone = true
    }
    #expect(LoopHarness.run(loop) { isDone })
    #expect(numbers == [SIGUSR2])
  }

  private static func readyPipe() -> Int32 {
    var ends: [Int32] = [0, 0]
    _ = unsafe pipe(&ends)
    _ = unsafe write(ends[1], "x", 1)
    close(ends[1])
    return ends[0]
  }
}
