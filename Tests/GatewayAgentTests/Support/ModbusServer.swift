import CModbus
import Glibc

/// A Modbus TCP server of libmodbus on loopback, with registers that the test sets; serves one client.
@safe final class ModbusServer: @unchecked Sendable {
  let port: UInt16
  private let context: OpaquePointer
  private let mapping: UnsafeMutablePointer<modbus_mapping_t>
  private let listener: Int32
  private var thread = pthread_t()

  /// Serves input registers from address 0 on.
  init(inputRegisters words: [Int: [UInt16]], count: Int32 = 1000) {
    port = TestSocket.freePort()
    guard let made = unsafe modbus_new_tcp("127.0.0.1", Int32(port)),
      let registers = unsafe modbus_mapping_new(0, 0, 0, count)
    else { preconditionFailure("libmodbus has memory") }
    unsafe context = made
    unsafe mapping = registers
    for (address, values) in words {
      for (index, word) in values.enumerated() {
        unsafe registers.pointee.tab_input_registers[address + index] = word
      }
    }
    listener = unsafe modbus_tcp_listen(made, 1)
    let server = unsafe Unmanaged.passUnretained(self)
    _ = unsafe pthread_create(
      &thread, nil,
      { raw in
        if let raw = unsafe raw {
          unsafe Unmanaged<ModbusServer>.fromOpaque(raw).takeUnretainedValue().serve()
        }
        return nil
      }, server.toOpaque())
  }

  deinit {
    unsafe modbus_mapping_free(mapping)
    unsafe modbus_free(context)
  }

  /// Ends it; to be called before it is let go.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    let socket = unsafe modbus_get_socket(context)
    if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    _ = pthread_join(thread, nil)
    close(listener)
  }

  private func serve() {
    var listener = listener
    var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
    while unsafe modbus_tcp_accept(context, &listener) >= 0 {
      while true {
        let count = unsafe modbus_receive(context, &query)
        guard count >= 0 else { break }
        if count > 0 { _ = unsafe modbus_reply(context, query, count, mapping) }
      }
      unsafe modbus_close(context)
    }
  }
}
