internal import ArgumentParser
import ConsentLedger
import Glibc

/// `run`: the daemon.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads the meters and publishes what the grants in force allow, until SIGTERM.")

  @Option(help: "The configuration file.")
  var config = Configuration.defaultPath

  func run() throws {
    ProcessSetup.prepare()
    let configuration: Configuration
    do throws(ConfigurationError) {
      configuration = try ConfigurationReader().load(config, environment: Environment.variables())
    } catch {
      throw CommandFailure.unusable(error.description)
    }
    Log.level = configuration.logLevel
    try AgentProcess(configuration, clock: GatewayClock(rate: 1)).run()
  }
}

/// A running agent with its control socket and signals, from start to end.
final class AgentProcess {
  /// Start-up code is let go this long after the start, when the first connections stand.
  static let settlingMilliseconds = 3000

  private let loop: EventLoop
  private let agent: Agent
  private let control: ControlServer

  init(_ configuration: Configuration, clock: GatewayClock) throws(CommandFailure) {
    LocalDays.use(zone: configuration.timeZone.name)
    let agent: Agent
    do throws(SystemError) {
      loop = try EventLoop()
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    agent = try Agent(configuration, clock: clock, on: loop)
    self.agent = agent
    do throws(ControlFailure) {
      control = try ControlServer(path: configuration.controlSocket, on: loop) {
        [unowned agent] request, authority in agent.answer(request, by: authority)
      }
    } catch {
      throw .unusable(error.description)
    }
  }

  /// Runs until SIGTERM or SIGINT; SIGHUP is ignored, since the configuration is read once.
  func run() throws(CommandFailure) {
    do throws(SystemError) {
      try loop.handleSignals([SIGTERM, SIGINT, SIGHUP]) { [unowned self] signal in
        if signal != SIGHUP { stop() }
      }
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    agent.start()
    loop.schedule(afterMilliseconds: Self.settlingMilliseconds) {
      ProcessSetup.releaseStartupPages()
    }
    Log.event(.info, "STARTED", Int64(agent.feeds.count))
    loop.run()
    Log.event(.info, "STOPPED")
  }

  private func stop() {
    agent.stop { [unowned self] in loop.stop() }
  }
}
