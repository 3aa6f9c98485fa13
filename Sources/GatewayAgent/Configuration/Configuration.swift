import ModbusMeters
import OBISDecoder

/// What the household wrote in `config.toml`: meters, brokers and places, never consent.
///
/// Every value here has been checked. Each property is documented with its TOML key; keys carry
/// their unit. Consent is not part of it and cannot be: see privacy.md C12.
struct Configuration: Equatable, Sendable {
  /// Where the agent looks unless `--config` names another file.
  static let defaultPath = "/etc/gateway-agent/config.toml"
  /// Where relative `password_file` and `key_file` names are looked up.
  static let secretsDirectory = "/etc/gateway-agent/secrets"

  /// `time_zone`: IANA name of the household's zone, by default the system's.
  var timeZone: TimeZoneRule
  /// `history`: whether the household's use is stored, for itself.
  var keepsHistory = true
  /// `state_directory`: absolute path of the ledger's directory.
  var stateDirectory = "/var/lib/gateway-agent"
  /// `control_socket`: absolute path of the control socket, at most 107 bytes.
  var controlSocket = "/run/gateway-agent/control.sock"
  /// `topic_root`: first levels of the in-house topics.
  var topicRoot = "meter"
  /// `[[meters]]`: at least one.
  var meters: [Meter] = []
  /// `[[brokers]]`: may be empty; nothing is published then.
  var brokers: [Broker] = []
  /// `[home_assistant]`.
  var homeAssistant = HomeAssistant()
  /// `[in_house]`.
  var inHouse = InHouse()
  /// `[ev]`: the charging feed; nil unless it is enabled.
  var charging: Charging?
  /// `[enode] user_id`: the household's name in documents of Enode's shape; nil unless `enabled`.
  var enodeUser: String?
  /// `[profiles] enabled`: profiles that are switched off unless they are named here.
  var enabledProfiles: Set<String> = []
  /// `[proposals] broker`: the broker over which recipients may ask for something; nil listens
  /// nowhere but on the connections that grants have.
  var proposalBroker: String?
  /// `[clock] trust`: when the gateway's clock is good enough for external grants.
  var clockTrust = ClockTrust.networkOrMeter
  /// `[log] level`: least severe event that is logged.
  var logLevel = Log.Level.info

  /// One meter and the way to it.
  struct Meter: Equatable, Sendable {
    /// `name`: nickname, a topic level; `home` if there is one meter and no name.
    var name: String
    /// `port`: where its bytes come from; a serial line with `speed` (baud; 115 200, for `hdlc`
    /// 2 400, for `d0` 9 600), `parity` (none, for `d0` even), `data_bits` (8, for `d0` 7),
    /// `stop_bits` (1), `rts` and `dtr` (left alone); for `d0` also `request` (`none` or `mode-c`),
    /// `request_address` (none) and `poll_seconds` (60).
    var input: InputKind
    /// `dialect`: `p1`, `hdlc`, `mbus`, `apdu`, `sml` or `d0`; nil (`auto`) recognises it.
    var dialect: Dialect?
    /// `stale_after_seconds`: silence after which the meter counts as stale, 2…86 400.
    var staleAfterSeconds = 30
    /// `clock_offset_minutes`: standard-time offset of the meter's clock from UTC, −720…840;
    /// by default the household zone's.
    var clockOffsetMinutes: Int16
    /// `key_file`: path of a file with mode 0600 that holds the key of a meter that encrypts; nil
    /// without.
    var keyFile: String?
    /// `authentication_key_file`: likewise, the key that its tags are checked with.
    var authenticationKeyFile: String?
    /// `system_title_file`: likewise, the system title of a meter that does not send it.
    var systemTitleFile: String?
    /// `scale_power`, `scale_current`, `scale_voltage`, `scale_energy` (powers of ten, −6…6) and
    /// `transformer_ratio` (`"300/5"`): what the frames of some DLMS meters do not say.
    var scale = ScaleOverride.none
    /// `clock`: how to take what the meter's clock says of summer time.
    var clock = ClockConvention.asSent
    /// `profile` and what belongs to it: how a Modbus meter is asked; nil for one that sends unasked.
    var modbus: Modbus?

    /// What the decoder is told.
    var decoderOptions: DecoderOptions {
      var options = DecoderOptions()
      options.dialect = dialect
      options.scale = scale
      options.clock = clock
      return options
    }
  }

  /// How a Modbus meter is asked.
  struct Modbus: Equatable, Sendable {
    /// `profile`: its registers, by the name that `gateway-agent meters` lists.
    var profile: MeterProfile
    /// `unit`: its address, 1…247, or 255 for a device on the network itself; the profile's unless given.
    var unit: UInt8
    /// `framing`: `rtu` or `tcp`; on the network `tcp` unless given.
    var framing: ModbusFraming
    /// `speed`, `parity`, `stop_bits`: the profile's unless given.
    var serial: SerialDefaults
    /// `poll_seconds`: from one reading to the next, 1…86 400.
    var pollSeconds = 1
    /// `rs485`: whether the kernel turns the line where its driver can.
    var usesRS485 = true
  }

  /// One MQTT broker, to which grants may point by name.
  struct Broker: Equatable, Sendable {
    /// `name`: unique; `home` if there is one broker and no name.
    var name: String
    /// `host`: name or address.
    var host: String
    /// `port`: 1883, or 8883 with TLS, unless given.
    var port: UInt16
    /// `tls`: `true` for the system's certificate authorities, or a table; nil without TLS.
    var tls: TLS?
    /// `username`, nil for an anonymous connection.
    var username: String?
    /// `password_file`: path of a file with mode 0600 whose first line is the password.
    var passwordFile: String?
    /// `mqtt_version`: `auto` (5, then 3.1.1), `5` or `3.1.1`.
    var mqttVersion = MQTTVersion.auto
    /// `keepalive_seconds`: 5…3 600.
    var keepaliveSeconds = 15
  }

  /// How a broker is authenticated, and how the agent is.
  struct TLS: Equatable, Sendable {
    /// `ca_file`: certificate authorities in PEM; nil takes the system's.
    var caFile: String?
    /// `certificate_file`: the agent's certificate in PEM; together with `key_file`.
    var certificateFile: String?
    /// `key_file`: its key, mode 0600.
    var keyFile: String?
  }

  /// Which protocol version is spoken.
  enum MQTTVersion: String, CaseIterable, Sendable {
    case auto
    case five = "5"
    case threeOneOne = "3.1.1"
  }

  /// Announcing the in-house grant's quantities to Home Assistant.
  struct HomeAssistant: Equatable, Sendable {
    /// `enabled`.
    var enabled = true
    /// `prefix`: discovery prefix.
    var prefix = "homeassistant"
    /// `birth_topic`: where Home Assistant announces its start; `PREFIX/status` unless given.
    var birthTopic = "homeassistant/status"
  }

  /// What the in-house grant publishes besides the state document.
  struct InHouse: Equatable, Sendable {
    /// `value_topics`: also one topic a quantity, with a plain number.
    var valueTopics = true
    /// `qos` of values, 0…2; status and health always use 1.
    var qos: UInt8 = 0
  }

  /// When the gateway's clock is trusted.
  enum ClockTrust: String, CaseIterable, Sendable {
    /// Once the kernel reports synchronisation, or the meter's clock agrees.
    case networkOrMeter = "ntp-or-meter"
    /// Always: for hosts whose clock is set by other means.
    case system
  }

  /// Capacities, with their reasons.
  enum Limits {
    /// Bytes of a configuration file; a hundred meters take a tenth of it.
    static let fileBytes = 1 << 18
    /// Meters of one agent: a gate bank has 32 gates.
    static let meters = 32
    /// Brokers of one agent.
    static let brokers = 8
    /// Characters of a meter's or broker's name.
    static let nameBytes = 32
    /// Bytes of a topic prefix; leaves room for pseudonym and stream in a 256-byte topic.
    static let topicBytes = 64
    /// Bytes of a socket path (`sun_path`, closing zero excluded).
    static let socketPathBytes = 107
    /// Bytes of a password file.
    static let passwordBytes = 4096
  }
}
