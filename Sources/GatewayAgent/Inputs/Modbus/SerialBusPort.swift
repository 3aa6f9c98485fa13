import CModbus
import Glibc
import ModbusMeters

/// A serial line to Modbus meters, opened and set up by libmodbus; the only file that calls it.
///
/// What libmodbus does not do well is done elsewhere: its receiver stops for good at a stray byte, and
/// its recovery can block for ever (modbus.md §1, 2 and 6). So it opens, sets up and closes; requests
/// and replies go over its descriptor, framed by `ModbusMeters`. `@safe`: the context is made in
/// `init`, freed in `deinit` and never leaves.
@safe struct SerialBusPort: ~Copyable {
  /// What to read from, write to and wait for; not to be closed.
  let descriptor: Int32
  private let context: OpaquePointer

  /// Opens the line, raw, exclusively and without waiting, and forgets what was waiting in it.
  ///
  /// The kernel's own RS-485 mode is switched on where the driver has one; adapters without it turn
  /// the line by themselves. Calls `modbus_new_rtu`, `modbus_connect`, `modbus_rtu_set_serial_mode`.
  ///
  /// - Throws: `SystemError` with the reason of libmodbus.
  init(_ path: String, _ settings: SerialDefaults, usesRS485: Bool) throws(SystemError) {
    let parity: CChar =
      switch settings.parity {
      case .none: CChar(UInt8(ascii: "N"))
      case .even: CChar(UInt8(ascii: "E"))
      case .odd: CChar(UInt8(ascii: "O"))
      }
    guard
      let made = unsafe modbus_new_rtu(
        path, Int32(settings.baud), parity, 8, Int32(settings.stopBits))
    else { throw SystemError(call: "modbus_new_rtu", number: errno) }
    guard unsafe modbus_connect(made) == 0 else {
      let reason = errno
      unsafe modbus_free(made)
      throw SystemError(call: "modbus_connect", number: reason)
    }
    let number = unsafe modbus_get_socket(made)
    // libmodbus would overwrite which way the line's enable signal goes.
    if usesRS485, !SerialPort.turnsByItself(number) {
      _ = unsafe modbus_rtu_set_serial_mode(made, MODBUS_RTU_RS485)
    }
    _ = unsafe modbus_flush(made)
    do throws(SystemError) {
      try SerialPort.claim(number)
    } catch {
      unsafe modbus_close(made)
      unsafe modbus_free(made)
      throw error
    }
    unsafe context = made
    descriptor = number
  }

  deinit {
    unsafe modbus_close(context)
    unsafe modbus_free(context)
  }
}
