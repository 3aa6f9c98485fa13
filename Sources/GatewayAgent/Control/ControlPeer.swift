import CLinux
import Glibc

/// The process at the other end of the control socket, as the kernel states it.
struct ControlPeer: Equatable {
  var uid: uid_t
  /// Its group and every further group it is in.
  var groups: [gid_t]

  /// Asks the kernel; nobody is uid −1, so a peer that it does not know is permitted nothing.
  ///
  /// Calls `getsockopt` with `SO_PEERCRED` and `SO_PEERGROUPS` (unix(7); Linux 4.13).
  init(ofSocket number: Int32) {
    var peer = linux_peer()
    var size = socklen_t(MemoryLayout<linux_peer>.size)
    let isKnown = unsafe getsockopt(number, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
    uid = isKnown ? peer.uid : .max
    groups = isKnown ? [peer.gid] : []
    var further = [gid_t](repeating: 0, count: 256)
    var bytes = socklen_t(further.count * MemoryLayout<gid_t>.size)
    // 59 is SO_PEERGROUPS, which the module of the C library does not name.
    guard unsafe getsockopt(number, SOL_SOCKET, 59, &further, &bytes) == 0 else { return }
    groups += further.prefix(Int(bytes) / MemoryLayout<gid_t>.size)
  }

  /// A peer that a test makes up.
  init(uid: uid_t, groups: [gid_t]) {
    self.uid = uid
    self.groups = groups
  }

  /// Whether it may decide: root, the agent's own user, or a member of the socket's group.
  ///
  /// The socket's mode says the same; this holds if somebody changed the mode.
  func isPermitted(owner: uid_t, group: gid_t) -> Bool {
    uid == 0 || uid == owner || groups.contains(group)
  }

  /// The same, with the group that the socket's file has.
  func isPermitted(at path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return uid == 0 || uid == geteuid() }
    return isPermitted(owner: geteuid(), group: status.st_gid)
  }
}
